import pytest
from fido2.ctap2.base import Info

from emulators.env import Env
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, call, register

TRANSPORTS = ["nfc", "smart-card", "usb"]


def test_python_fido2_reads_what_the_key_is() -> None:
    """Only what works is advertised; a key that is new has no PIN yet."""
    status, response = call(Authenticator(Env.simulated(1)), GET_INFO)
    info = Info.from_dict(response)
    assert status is Status.SUCCESS
    assert bytes(info.aaguid) == b"authrig-test-key"
    assert info.options == load().options
    assert (info.pin_uv_protocols, info.max_msg_size, info.transports) == ([2, 1], 7609, TRANSPORTS)
    assert [item["alg"] for item in info.algorithms] == [-7, -8, -35, -36, -47, -257]
    assert (info.force_pin_change, info.min_pin_length, info.max_pin_length) == (False, 4, 63)
    assert (info.pin_complexity_policy, info.long_touch_for_reset) == (False, False)
    assert (info.max_rpids_for_min_pin, info.transports_for_reset) == (8, TRANSPORTS)
    assert info.authenticator_config_commands == [1, 2, 3, 4]


def test_room_for_discoverable_credentials_is_counted() -> None:
    """Only those that take room count; sealed ones are free."""
    authenticator = Authenticator(Env.simulated(1))
    before = call(authenticator, GET_INFO)[1][0x14]
    register(authenticator)
    assert call(authenticator, GET_INFO)[1][0x14] == before
    register(authenticator, {7: {"rk": True}})
    assert call(authenticator, GET_INFO)[1][0x14] == before - 1


def test_the_answer_is_canonical_and_without_empty_members() -> None:
    """The strict decoder for requests accepts it too."""
    answer = Authenticator(Env.simulated(1)).start(bytes([GET_INFO])).answer
    assert answer is not None
    info = cbor.decode(answer[1:])
    assert isinstance(info, dict)
    assert [] not in info.values()
    assert {} not in info.values()


@pytest.mark.parametrize("name", ["authrig-2.3", "authrig-bio", "authrig-passcode"])
def test_a_key_that_is_new_says_what_its_profile_says(name: str) -> None:
    """Options, versions and modality; the passcode is there from the factory, a finger is not."""
    profile = load(name)
    info = Info.from_dict(call(Authenticator(Env.simulated(1), profile), GET_INFO)[1])
    assert (info.options, tuple(info.versions)) == (profile.options, profile.versions)
    modality = {"authrig-2.3": 0, "authrig-bio": 0x02, "authrig-passcode": 0x04}[name]
    assert info.uv_modality == modality
    assert info.options.get("uv") is {"authrig-2.3": None, "authrig-bio": False, "authrig-passcode": True}[name]
