from typing import Any

import msgspec
import pytest
from fido2.ctap import CtapError
from fido2.ctap2.base import AttestationResponse, Info
from fido2.ctap2.config import Config
from fido2.ctap2.pin import ClientPin
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, MAKE_CREDENTIAL, RESET, call, creation
from tests.emulators.fido_authenticator.pin_keys import PIN, client_pin, ctap2, key, with_options

CONFIG = 0x0D
ACFG = ClientPin.PERMISSION.AUTHENTICATOR_CFG


def _config(authenticator: Authenticator, pin: str | None = PIN, protocol: int = 2) -> Config:
    """python-fido2's own client; without a PIN it proves nothing."""
    host = client_pin(authenticator, protocol)
    if pin is None:
        return Config(ctap2(authenticator))
    return Config(ctap2(authenticator), host.protocol, host.get_pin_token(pin, ACFG))


def _info(authenticator: Authenticator) -> Info:
    return Info.from_dict(call(authenticator, GET_INFO)[1])


def _refusal(action: Any, *arguments: Any, **named: Any) -> Status:
    with pytest.raises(CtapError) as refused:
        action(*arguments, **named)
    return Status(refused.value.code)


@pytest.mark.parametrize("protocol", [1, 2])
def test_enterprise_attestation_is_enabled_until_a_reset(protocol: int) -> None:
    """Before, a host that asks for it is refused; then one certificate names this very key."""
    authenticator = key()
    enterprise = creation({10: 2})
    assert call(authenticator, MAKE_CREDENTIAL, enterprise)[0] is Status.INVALID_PARAMETER
    _config(authenticator, protocol=protocol).enable_enterprise_attestation()
    assert _info(authenticator).options["ep"] is True
    made = AttestationResponse.from_dict(call(authenticator, MAKE_CREDENTIAL, enterprise)[1])
    assert made.ep_att is True
    authenticator.power_up()
    assert _info(authenticator).options["ep"] is True
    assert call(authenticator, RESET)[0] is Status.SUCCESS
    assert _info(authenticator).options["ep"] is False


@pytest.mark.parametrize(
    ("kind", "rp_id", "expected"),
    [
        (1, "enterprise.example", True),
        (1, "example.com", None),
        (2, "example.com", True),
    ],
)
def test_whom_enterprise_attestation_is_for(kind: int, rp_id: str, expected: bool | None) -> None:  # noqa: FBT001 - a case
    """Vendor-facilitated for the relying parties of the profile; platform-managed for whomever the platform chooses."""
    authenticator = key()
    _config(authenticator).enable_enterprise_attestation()
    status, response = call(authenticator, MAKE_CREDENTIAL, creation({10: kind}, rp_id=rp_id))
    assert (status, response.get(4)) == (Status.SUCCESS, expected)
    assert call(authenticator, MAKE_CREDENTIAL, creation({10: 3}))[0] is Status.INVALID_OPTION


def test_always_uv_is_toggled() -> None:
    """GetInfo follows: unverified registration is off, and so is U2F."""
    authenticator = key()
    before = _info(authenticator)
    _config(authenticator).toggle_always_uv()
    on = _info(authenticator)
    assert (on.options["alwaysUv"], on.options["makeCredUvNotRqd"], "U2F_V2" in on.versions) == (True, False, False)
    assert call(authenticator, MAKE_CREDENTIAL, creation())[0] is Status.PUAT_REQUIRED
    _config(authenticator).toggle_always_uv()
    assert (_info(authenticator).options, _info(authenticator).versions) == (before.options, before.versions)


def test_an_unprotected_key_can_be_set_up_by_anyone() -> None:
    """Without a PIN there is nothing to prove; with alwaysUv only that can be taken back."""
    authenticator = key(None)
    config = _config(authenticator, None)
    config.set_min_pin_length(5)
    config.toggle_always_uv()
    assert _refusal(config.set_min_pin_length, 6) is Status.PUAT_REQUIRED
    config.toggle_always_uv()
    config.set_min_pin_length(6)
    assert _info(authenticator).min_pin_length == 6


def test_the_minimum_pin_length_only_grows() -> None:
    """And a PIN that is too short must be changed before the key does anything again."""
    authenticator = key("1357")
    config = _config(authenticator, "1357")
    config.set_min_pin_length(4)
    assert _info(authenticator).force_pin_change is False
    config.set_min_pin_length(6)
    assert (_info(authenticator).min_pin_length, _info(authenticator).force_pin_change) == (6, True)
    assert _refusal(config.set_min_pin_length, 7) is Status.PIN_AUTH_INVALID
    pin = client_pin(authenticator)
    assert _refusal(pin.change_pin, "1357", "24680") is Status.PIN_POLICY_VIOLATION
    pin.change_pin("1357", "246801")
    config = _config(authenticator, "246801")
    assert _refusal(config.set_min_pin_length, 5) is Status.PIN_POLICY_VIOLATION
    assert _refusal(config.set_min_pin_length, 64) is Status.PIN_POLICY_VIOLATION
    assert _info(authenticator).min_pin_length == 6
    assert call(authenticator, RESET)[0] is Status.SUCCESS
    assert (_info(authenticator).min_pin_length, _info(authenticator).force_pin_change) == (4, False)


def test_relying_parties_that_may_know_the_minimum() -> None:
    """§6.11.4 step 8: a new list takes the place of the old one; an empty one, and one too long, change nothing."""
    authenticator = key()
    config = _config(authenticator)
    config.set_min_pin_length(rp_ids=["a.example", "b.example"])
    config.set_min_pin_length(rp_ids=["c.example"])
    config.set_min_pin_length(rp_ids=[])
    assert authenticator._state.settings.min_pin_length_rp_ids == ("c.example",)
    before = dump(authenticator.store)
    many = [f"{number}.example" for number in range(9)]
    assert _refusal(config.set_min_pin_length, 8, rp_ids=many) is Status.KEY_STORE_FULL
    assert dump(authenticator.store) == before


def test_relying_parties_can_be_named_where_an_extension_tells_them() -> None:
    """§6.11.4 step 2: one of the two that do is enough."""
    profile = profiles.load()
    for extensions, expected in (((), Status.INVALID_PARAMETER), (("pinComplexityPolicy",), Status.SUCCESS)):
        poor = msgspec.structs.replace(profile, extensions=extensions)
        assert call(key(None, poor), CONFIG, {1: 3, 2: {2: ["a.example"]}})[0] is expected


def test_no_token_outlives_a_setting_while_a_change_is_demanded() -> None:
    """§6.11.4 step 7, also where the change was demanded before: built-in verification still gives out tokens then."""
    sensor = profiles.BuiltInUv(kind="passcode")
    authenticator = key(PIN, msgspec.structs.replace(with_options(uv=True, uvAcfg=True), built_in_uv=sensor))
    _config(authenticator).set_min_pin_length(force_change_pin=True)
    pin = client_pin(authenticator)
    config = Config(ctap2(authenticator), pin.protocol, pin.get_uv_token(ACFG))
    config.set_min_pin_length(5)
    assert _refusal(config.set_min_pin_length, 6) is Status.PIN_AUTH_INVALID


def test_a_change_can_be_demanded() -> None:
    """It needs a PIN that could be changed, and ends all tokens."""
    assert _refusal(_config(key(None), None).set_min_pin_length, force_change_pin=True) is Status.PIN_NOT_SET
    authenticator = key()
    config = _config(authenticator)
    config.set_min_pin_length(force_change_pin=True)
    assert _info(authenticator).force_pin_change is True
    assert _refusal(config.toggle_always_uv) is Status.PIN_AUTH_INVALID


def test_complexity_is_demanded_once_and_for_all() -> None:
    """Nobody knows how good the PIN is that was set before, so it must be changed."""
    authenticator = key()
    _config(authenticator).set_min_pin_length(pin_complexity_policy=True)
    assert (_info(authenticator).pin_complexity_policy, _info(authenticator).force_pin_change) == (True, True)
    pin = client_pin(authenticator)
    assert _refusal(pin.change_pin, PIN, "1234") is Status.PIN_POLICY_VIOLATION
    pin.change_pin(PIN, "1357 2468")
    _config(authenticator, "1357 2468").set_min_pin_length(pin_complexity_policy=True)
    assert _info(authenticator).force_pin_change is False


def test_long_touch_for_reset_is_enabled() -> None:
    """CTAP 2.3's subcommand 4."""
    authenticator = key()
    signed = b"\xff" * 32 + b"\x0d\x04"
    pin = client_pin(authenticator)
    proof = pin.protocol.authenticate(pin.get_pin_token(PIN, ACFG), signed)
    assert call(authenticator, CONFIG, {1: 4, 3: 2, 4: proof}) == (Status.SUCCESS, {})
    assert _info(authenticator).long_touch_for_reset is True


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, Status.MISSING_PARAMETER),
        ({1: "2"}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: 0}, Status.INVALID_PARAMETER),
        ({1: 5}, Status.INVALID_PARAMETER),
        ({1: 255}, Status.INVALID_PARAMETER),
        ({1: 2, 2: []}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: 2}, Status.PUAT_REQUIRED),
        ({1: 2, 4: bytes(32)}, Status.MISSING_PARAMETER),
        ({1: 2, 3: 3, 4: bytes(32)}, Status.INVALID_PARAMETER),
        ({1: 2, 3: 2, 4: bytes(32)}, Status.PIN_AUTH_INVALID),
    ],
)
def test_what_is_refused(request_: dict[int, Any], expected: Status) -> None:
    """Vendor prototypes among it; and nothing has changed."""
    authenticator = key()
    before = dump(authenticator.store)
    assert call(authenticator, CONFIG, request_)[0] is expected
    assert dump(authenticator.store) == before


def test_another_permission_or_other_parameters_are_refused() -> None:
    """The proof covers the command, the subcommand and its parameters."""
    authenticator = key()
    pin = client_pin(authenticator)
    wrong = Config(ctap2(authenticator), pin.protocol, pin.get_pin_token(PIN, ClientPin.PERMISSION.MAKE_CREDENTIAL))
    assert _refusal(wrong.toggle_always_uv) is Status.PIN_AUTH_INVALID
    proof = pin.protocol.authenticate(pin.get_pin_token(PIN, ACFG), b"\xff" * 32 + b"\x0d\x03\xa1\x01\x05")
    for parameters, expected in (({1: 6}, Status.PIN_AUTH_INVALID), ({1: 5}, Status.SUCCESS)):
        assert call(authenticator, CONFIG, {1: 3, 2: parameters, 3: 2, 4: proof})[0] is expected


@pytest.mark.parametrize("subcommand", [1, 2, 3, 4])
def test_a_profile_without_a_setting_refuses_to_change_it(subcommand: int) -> None:
    """Whether the subcommand is not listed, or there is nothing for it to set."""
    profile = with_options()
    bare = {name: value for name, value in profile.options.items() if name not in {"ep", "alwaysUv"}}
    poor = msgspec.structs.replace(profile, options=bare, long_touch_for_reset=None, pin=profiles.Pin())
    parameters = {1: subcommand, 2: {4: True}}
    assert call(key(None, poor), CONFIG, parameters)[0] is Status.INVALID_PARAMETER
    short = msgspec.structs.replace(profile, config_commands=(subcommand % 4 + 1,))
    assert call(key(None, short), CONFIG, parameters)[0] is Status.INVALID_PARAMETER


_VALUES = st.integers(-3, 300) | st.binary(max_size=40) | st.text(max_size=5) | st.booleans()


@settings(max_examples=150, deadline=None)
@given(parameters=st.dictionaries(st.integers(0, 5), _VALUES | st.lists(_VALUES, max_size=3)), subcommand=_VALUES)
def test_no_parameters_break_an_unprotected_key(parameters: dict[int, Any], subcommand: object) -> None:
    """Any of them ends in a setting or in an error; a new minimum never is one that no PIN could have."""
    authenticator = key(None)
    status, _ = call(authenticator, CONFIG, {1: subcommand, 2: parameters})
    assert status is not Status.OTHER
    assert 4 <= _info(authenticator).min_pin_length <= 63
