from typing import Any

import msgspec
import pytest
from fido2.ctap2.base import AttestationResponse

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.extensions.extension import Creation, Extension
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from emulators.fido_authenticator.user import Act, AutomaticUser, Decision, Prompt, ScriptedUser
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    descriptor,
    register,
)

RESIDENT = {7: {"rk": True}}
FLAGS_UP_ATTESTED = 0x41


def _small(room: int, *, rk: bool = True) -> profiles.Profile:
    profile = profiles.load()
    limits = msgspec.structs.replace(profile.limits, max_discoverable_credentials=room, max_credential_count_in_list=3)
    return msgspec.structs.replace(profile, limits=limits, options={**profile.options, "rk": rk})


@pytest.mark.parametrize("discoverable", [False, True])
def test_a_credential_is_made_and_attested(*, discoverable: bool) -> None:
    """Flags, AAGUID and a packed statement by the batch certificate."""
    authenticator = Authenticator(Env.simulated(1))
    status, response = call(authenticator, MAKE_CREDENTIAL, creation({7: {"rk": discoverable}}))
    made = AttestationResponse.from_dict(response)
    assert (status, made.fmt, sorted(made.att_stmt)) == (Status.SUCCESS, "packed", ["alg", "sig", "x5c"])
    assert made.auth_data.flags == FLAGS_UP_ATTESTED
    assert made.auth_data.credential_data is not None
    assert bytes(made.auth_data.credential_data.aaguid) == b"authrig-test-key"
    assert len(made.auth_data.credential_data.credential_id) <= authenticator.profile.limits.max_credential_id_length
    assert authenticator.store.count() == discoverable


@pytest.mark.parametrize(
    ("preference", "statement_format", "aaguid"),
    [
        ([], "packed", b"authrig-test-key"),
        (["none"], "none", b"authrig-test-key"),
        (["tpm", "fido-u2f"], "fido-u2f", bytes(16)),
        (["tpm"], "packed", b"authrig-test-key"),
    ],
)
def test_the_host_may_prefer_a_format(preference: list[str], statement_format: str, aaguid: bytes) -> None:
    """AttestationFormatsPreference decides; "none" alone means an empty statement."""
    status, response = call(Authenticator(Env.simulated(1)), MAKE_CREDENTIAL, creation({0x0B: preference}))
    made = AttestationResponse.from_dict(response)
    assert (status, made.fmt, made.att_stmt == {}) == (Status.SUCCESS, statement_format, statement_format == "none")
    assert made.auth_data.credential_data is not None
    assert bytes(made.auth_data.credential_data.aaguid) == aaguid


def test_formats_are_texts() -> None:
    """Anything else is malformed."""
    for wrong in ("packed", [1], {"packed": True}):
        status, _ = call(Authenticator(Env.simulated(1)), MAKE_CREDENTIAL, creation({0x0B: wrong}))
        assert status is Status.CBOR_UNEXPECTED_TYPE


def test_the_largest_credential_fits_and_a_larger_one_leaves_no_trace() -> None:
    """ML-DSA-87 with self attestation fills a CTAPHID message almost; what would not fit is refused and not kept."""

    class Talkative(Extension):
        identifier = "talkative"

        def make_credential(self, creation: Creation, value: CborValue) -> None:
            if isinstance(value, int):
                creation.outputs[self.identifier] = bytes(value)

    profile = msgspec.structs.replace(profiles.load(), attestation=profiles.Attestation(kind="self"))
    authenticator = Authenticator(Env.simulated(1), profile)
    authenticator._state.extensions = (Talkative(),)

    def make(size: int) -> Status:
        changes = {4: [{"alg": -50, "type": "public-key"}], 6: {"talkative": size}, 7: {"rk": True}}
        return call(authenticator, MAKE_CREDENTIAL, creation(changes))[0]

    before = dump(authenticator.store)
    assert make(300) is Status.REQUEST_TOO_LARGE
    assert dump(authenticator.store) == before
    assert make(150) is Status.SUCCESS
    assert authenticator.store.count() == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({4: []}, Status.UNSUPPORTED_ALGORITHM),
        ({4: [{"alg": -258, "type": "public-key"}]}, Status.UNSUPPORTED_ALGORITHM),
        ({4: [{"alg": -7, "type": "future"}]}, Status.UNSUPPORTED_ALGORITHM),
        ({7: {"up": False}}, Status.INVALID_OPTION),
        ({7: {"uv": True}}, Status.INVALID_OPTION),
        ({8: bytes(16), 9: 3}, Status.INVALID_PARAMETER),
        ({8: bytes(16)}, Status.MISSING_PARAMETER),
        ({10: 1}, Status.INVALID_PARAMETER),
        ({5: [descriptor(bytes([n])) for n in range(65)]}, Status.LIMIT_EXCEEDED),
    ],
)
def test_what_the_key_does_not_do_is_refused_before_the_touch(changes: dict[int, Any], expected: Status) -> None:
    """Each with its own status, and nothing is remembered."""
    user = ScriptedUser([])
    authenticator = Authenticator(Env.simulated(1), user=user)
    before = dump(authenticator.store)
    assert call(authenticator, MAKE_CREDENTIAL, creation(changes)) == (expected, {})
    assert (user.requests, dump(authenticator.store)) == ([], before)


@pytest.mark.parametrize("options", [{}, {"up": True}, {"uv": False}, {"future": True}, {"rk": False}])
def test_harmless_and_unknown_options_are_accepted(options: dict[str, bool]) -> None:
    """An option that nobody knows yet is ignored."""
    assert call(Authenticator(Env.simulated(1)), MAKE_CREDENTIAL, creation({7: options}))[0] is Status.SUCCESS


def test_the_first_known_algorithm_of_the_host_is_taken() -> None:
    """Unknown algorithms and extensions before it are passed over."""
    wanted = [{"alg": alg, "type": "public-key"} for alg in (-65535, -257, -7)]
    status, response = call(Authenticator(Env.simulated(1)), MAKE_CREDENTIAL, creation({4: wanted, 6: {"future": 1}}))
    assert (status, response[3]["alg"]) == (Status.SUCCESS, -7)


@pytest.mark.parametrize("options", [{"rk": True}, {"rk": False}])
def test_an_excluded_credential_costs_a_touch(options: dict[str, bool]) -> None:
    """A host cannot ask silently whether a credential is here; other relying parties' credentials do not count."""
    user = ScriptedUser([Act(), Act(), Act(Decision.DENIED), Act()])
    authenticator = Authenticator(Env.simulated(1), user=user)
    known = {5: [descriptor(b"unknown"), descriptor(register(authenticator, {7: options}))]}
    before = dump(authenticator.store)
    assert call(authenticator, MAKE_CREDENTIAL, creation(known))[0] is Status.CREDENTIAL_EXCLUDED
    assert call(authenticator, MAKE_CREDENTIAL, creation(known))[0] is Status.CREDENTIAL_EXCLUDED
    assert dump(authenticator.store) == before
    assert [request.prompt for request in user.requests] == [Prompt.REGISTER, Prompt.EXCLUDED, Prompt.EXCLUDED]
    assert call(authenticator, MAKE_CREDENTIAL, creation(known, rp_id="example.org"))[0] is Status.SUCCESS


def test_a_refusal_leaves_nothing_behind() -> None:
    """No credential, no counted signature."""
    authenticator = Authenticator(Env.simulated(1), user=AutomaticUser(Decision.DENIED))
    before = dump(authenticator.store)
    assert call(authenticator, MAKE_CREDENTIAL, creation(RESIDENT))[0] is Status.OPERATION_DENIED
    assert dump(authenticator.store) == before


def test_the_user_is_told_for_what() -> None:
    """A key with a display would show the relying party and the account."""
    user = ScriptedUser([Act()])
    register(Authenticator(Env.simulated(1), user=user))
    (request,) = user.requests
    assert (request.prompt, request.rp_id, request.user_name) == (Prompt.REGISTER, "example.com", "ada")


def test_the_same_account_keeps_one_discoverable_credential() -> None:
    """A second registration takes the place of the first; another user, and another relying party, get their own."""
    authenticator = Authenticator(Env.simulated(1))
    first = register(authenticator, RESIDENT)
    second = register(authenticator, RESIDENT)
    register(authenticator, RESIDENT, user=b"bob")
    register(authenticator, RESIDENT, rp_id="example.org")
    assert authenticator.store.count() == 3
    assert call(authenticator, GET_ASSERTION, assertion({3: [descriptor(first)]}))[0] is Status.NO_CREDENTIALS
    assert call(authenticator, GET_ASSERTION, assertion({3: [descriptor(second)]}))[0] is Status.SUCCESS


def test_a_full_key_still_takes_sealed_credentials_and_replacements() -> None:
    """KEY_STORE_FULL for one discoverable credential too many, and only for that."""
    authenticator = Authenticator(Env.simulated(1), _small(1))
    register(authenticator, RESIDENT)
    before = dump(authenticator.store)
    assert call(authenticator, MAKE_CREDENTIAL, creation(RESIDENT, user=b"bob"))[0] is Status.KEY_STORE_FULL
    assert dump(authenticator.store) == before
    register(authenticator, RESIDENT)
    register(authenticator, user=b"bob")
    assert authenticator.store.count() == 1


def test_a_key_without_room_at_all_says_so() -> None:
    """The option rk is unsupported if the profile has none."""
    authenticator = Authenticator(Env.simulated(1), _small(0, rk=False))
    assert call(authenticator, MAKE_CREDENTIAL, creation(RESIDENT))[0] is Status.UNSUPPORTED_OPTION
    register(authenticator)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [(("FIDO_2_1", "FIDO_2_3"), Status.UNSUPPORTED_OPTION), (("FIDO_2_0",), Status.SUCCESS)],
)
def test_a_key_that_knows_no_option_rk_takes_not_even_its_false(versions: tuple[str, ...], expected: Status) -> None:
    """CTAP 2.3 §6.1.2 step 5.4. CTAP 2.0 §5.1 does not say so of an option that is false."""
    profile = profiles.load()
    options = {name: value for name, value in profile.options.items() if name != "rk"}
    authenticator = Authenticator(
        Env.simulated(1), msgspec.structs.replace(profile, versions=versions, options=options)
    )
    assert call(authenticator, MAKE_CREDENTIAL, creation({7: {"rk": False}}))[0] is expected
    assert call(authenticator, MAKE_CREDENTIAL, creation(RESIDENT))[0] is Status.UNSUPPORTED_OPTION
    assert call(authenticator, MAKE_CREDENTIAL, creation())[0] is Status.SUCCESS
