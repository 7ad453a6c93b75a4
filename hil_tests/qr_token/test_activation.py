"""Activation: each profile, and what must not activate a token (OTQ1, Activation; Signature)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from authrig.ports.qr_token import QrToken
from emulators.hwtoken.keys import Button
from hil_tests.qr_token.issuer import Issuer, title_of
from offline_qr import otq1

pytestmark = [
    pytest.mark.hil("qr-token", caps=["camera", "power", "words", "activation"]),
    pytest.mark.hil_destructive,
]

SIGNING_KEY = bytes(range(1, 33))
VERIFY_KEY = Ed25519PrivateKey.from_private_bytes(SIGNING_KEY).public_key().public_bytes_raw()
CODE = otq1.make_activation_code("4711081542424242")


def _preseeded(issuer: Issuer, label: str = "Bank A", verify_key: bytes | None = None) -> otq1.Activation:
    header = issuer.header(otq1.MessageType.ACTIVATION)
    return otq1.activate_preseeded(header, issuer.serial, issuer.seed, otq1.Account(label, verify_key))


def _by_code(issuer: Issuer) -> otq1.Activation:
    header = issuer.header(otq1.MessageType.ACTIVATION)
    return otq1.activate_by_code(header, issuer.serial, CODE, issuer.random(16), otq1.Account("Bank C"))


def _erase(issuer: Issuer) -> None:
    """By a wipe message: the token has no seed afterwards."""
    order = issuer.order(otq1.Command.WIPE)
    assert issuer.obey(order) == otq1.compute_admin_code(order, issuer.keys)
    issuer.back_to_idle()


@pytest.mark.clause("OTQ1 Activation, profile A")
def test_preseeded(issuer: Issuer, token: QrToken) -> None:
    """The label is shown, and the code proves the seed."""
    activation = _preseeded(issuer)
    issuer.show(otq1.encode_activation(activation))
    assert "Bank A" in " ".join(token.read_review() or ())
    assert token.confirm() == activation.compute_code()


@pytest.mark.clause("OTQ1 What a token checks, step 17")
def test_activated_once(issuer: Issuer, token: QrToken) -> None:
    """A second activation is refused as already done."""
    issuer.show(otq1.encode_activation(_preseeded(issuer)))
    token.read_review()
    token.confirm()
    shown = issuer.show(otq1.encode_activation(_preseeded(issuer, "Bank B")))
    assert (shown.state, shown.code) == ("error", None)


@pytest.mark.clause("OTQ1 Activation")
def test_a_refused_activation_changes_nothing(issuer: Issuer, token: QrToken) -> None:
    """The user does not agree: another one is taken afterwards."""
    issuer.show(otq1.encode_activation(_preseeded(issuer)))
    assert token.press(Button.CANCEL).state == "refused"
    activation = _preseeded(issuer, "Bank B")
    issuer.show(otq1.encode_activation(activation))
    token.read_review()
    assert token.confirm() == activation.compute_code()


@pytest.mark.clause("OTQ1 Activation")
def test_an_expired_activation(issuer: Issuer) -> None:
    """An old letter does not activate."""
    header = issuer.header(otq1.MessageType.ACTIVATION, issued=-5000, ttl=600)
    activation = otq1.activate_preseeded(header, issuer.serial, issuer.seed, otq1.Account("Bank A"))
    assert issuer.show(otq1.encode_activation(activation)).state == "error"


@pytest.mark.clause("OTQ1 Signature")
def test_from_then_on_only_what_is_signed(issuer: Issuer, token: QrToken) -> None:
    """With a public key in the activation, unsigned messages and another's signature are refused."""
    issuer.show(otq1.encode_activation(_preseeded(issuer, verify_key=VERIFY_KEY)))
    token.read_review()
    token.confirm()
    unsigned = issuer.show(issuer.login())
    assert (unsigned.state, unsigned.code) == ("error", None)
    challenge = issuer.login(flags=otq1.Flags.SIGNED)
    forged = issuer.show(otq1.encode(challenge, issuer.keys, bytes(32)))
    assert (forged.state, forged.code) == ("error", None)
    issuer.show(otq1.encode(challenge, issuer.keys, SIGNING_KEY))
    token.read_review()
    assert token.confirm() == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Administration, wipe")
def test_an_erased_token_answers_nothing(issuer: Issuer) -> None:
    """Keys and counters are gone; the code of the wipe was computed before."""
    _erase(issuer)
    shown = issuer.show(issuer.login())
    assert (shown.state, shown.code) == ("error", None)


@pytest.fixture
def factory_key(issuer: Issuer) -> bytes:
    """The public key of the pair that the token's maker has put in."""
    if issuer.factory_key is None:
        pytest.skip(f"wants the maker's public key of {issuer.token.name}: factory_key_hex in the rig file")
    return issuer.factory_key


def _sealed(issuer: Issuer, public_key: bytes) -> otq1.Activation:
    header = issuer.header(otq1.MessageType.ACTIVATION)
    return otq1.activate_by_hpke(header, issuer.serial, issuer.random(32), otq1.Account("Bank D"), public_key)


@pytest.mark.clause("OTQ1 Activation, profile B")
def test_sealed_for_the_makers_key(issuer: Issuer, token: QrToken, factory_key: bytes) -> None:
    """An erased token opens it and has the new seed: the code proves it, and logins work with it."""
    _erase(issuer)
    activation = _sealed(issuer, factory_key)
    issuer.show(otq1.encode_activation(activation))
    assert "Bank D" in " ".join(token.read_review() or ())
    assert token.confirm() == activation.compute_code()
    challenge = issuer.login()
    issuer.show(otq1.encode(challenge, activation.keys))
    token.read_review()
    assert token.confirm() == otq1.compute_code(challenge, activation.keys)


@pytest.mark.clause("OTQ1 Activation, profile B")
def test_sealed_for_another_token(issuer: Issuer, token: QrToken, factory_key: bytes) -> None:
    """What another maker's key was to open does not activate; the right one still does."""
    _erase(issuer)
    stranger = X25519PrivateKey.generate().public_key().public_bytes_raw()
    shown = issuer.show(otq1.encode_activation(_sealed(issuer, stranger)))
    assert (shown.state, shown.code) == ("error", None)
    activation = _sealed(issuer, factory_key)
    issuer.show(otq1.encode_activation(activation))
    token.read_review()
    assert token.confirm() == activation.compute_code()


@pytest.mark.clause("OTQ1 Activation, profile C")
def test_by_the_code_on_a_letter(issuer: Issuer, token: QrToken) -> None:
    """The digits that are typed make the seed; the code proves it, and logins work with it."""
    _erase(issuer)
    activation = _by_code(issuer)
    assert issuer.show(otq1.encode_activation(activation)).state == "typing"
    assert token.type_digits(CODE, most=17).state == "review"
    token.read_review()
    assert token.confirm() == activation.compute_code()
    challenge = issuer.login()
    issuer.show(otq1.encode(challenge, activation.keys))
    token.read_review()
    assert token.confirm() == otq1.compute_code(challenge, activation.keys)


@pytest.mark.clause("OTQ1 Activation, profile C")
def test_a_mistyped_code_costs_no_try(issuer: Issuer, token: QrToken) -> None:
    """The check digit is wrong: refused at once, and not as another letter's."""
    _erase(issuer)
    issuer.show(otq1.encode_activation(_by_code(issuer)))
    spent = token.counters()["code_tries_spent"]
    shown = token.type_digits(CODE[:-1] + str((int(CODE[-1]) + 1) % 10), most=17)
    assert (shown.state, shown.code) == ("error", None)
    assert token.counters()["code_tries_spent"] == spent


@pytest.mark.clause("OTQ1 Activation, profile C")
def test_five_wrong_codes_end_it(issuer: Issuer, token: QrToken) -> None:
    """After five codes of other letters the right one does not help."""
    _erase(issuer)
    text = otq1.encode_activation(_by_code(issuer))
    wrong = otq1.make_activation_code("1111222233334444")
    for _ in range(5):
        issuer.show(text)
        shown = token.type_digits(wrong, most=17)
        assert (shown.state, shown.code) == ("error", None)
    issuer.show(text)
    ended = token.type_digits(CODE, most=17)
    assert (ended.state, title_of(ended)) == ("error", title_of(shown))
