from pathlib import Path
from typing import Any

import msgspec
import pytest
from fido2.webauthn import AuthenticatorData

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid, fragments
from emulators.fido_authenticator.quirks import Quirk
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.user import AutomaticUser, ScriptedUser, User
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    SELECTION,
    assertion,
    call,
    creation,
    descriptor,
    register,
)


def _key(*quirks: Quirk, user: User | None = None) -> Authenticator:
    return Authenticator(
        Env.simulated(1), msgspec.structs.replace(profiles.load(), quirks=frozenset(quirks)), user=user
    )


@pytest.mark.parametrize(
    ("quirk", "command", "parameters", "expected"),
    [
        (Quirk.REFUSES_UNKNOWN_EXTENSIONS, MAKE_CREDENTIAL, creation({6: {"future": True}}), Status.UNSUPPORTED_OPTION),
        (Quirk.REFUSES_UNKNOWN_EXTENSIONS, GET_ASSERTION, assertion({4: {"future": True}}), Status.UNSUPPORTED_OPTION),
        (
            Quirk.REFUSES_UNKNOWN_ALGORITHMS,
            MAKE_CREDENTIAL,
            creation({4: [{"alg": alg, "type": "public-key"} for alg in (-7, -999)]}),
            Status.UNSUPPORTED_ALGORITHM,
        ),
        (
            Quirk.REFUSES_EMPTY_DISPLAY_NAME,
            MAKE_CREDENTIAL,
            creation({3: {"id": b"a", "name": "a", "displayName": ""}}),
            Status.INVALID_LENGTH,
        ),
        (Quirk.REFUSES_SILENT_ASSERTIONS, GET_ASSERTION, assertion({5: {"up": False}}), Status.UNSUPPORTED_OPTION),
    ],
)
def test_a_refusing_quirk_refuses_what_other_keys_take(
    quirk: Quirk, command: int, parameters: dict[int, Any], expected: Status
) -> None:
    """With the quirk, and only with it."""
    for quirks, status in (((), Status.SUCCESS), ((quirk,), expected)):
        key = _key(*quirks)
        register(key, {7: {"rk": True}})
        assert call(key, command, parameters)[0] is status


def test_quirks_leave_out_what_hosts_know_already() -> None:
    """The credential of a list of one, and the user of any list; what the host does not know is still said."""
    key = _key(Quirk.OMITS_SINGLE_CREDENTIAL, Quirk.OMITS_USER_WITH_ALLOW_LIST)
    known = descriptor(register(key, {7: {"rk": True}}))
    for allow_list, members in (
        ([known], {2, 3}),
        ([known, descriptor(b"x" * 40)], {1, 2, 3}),
        (None, {1, 2, 3, 4}),
    ):
        status, response = call(key, GET_ASSERTION, assertion({3: allow_list}))
        assert (status, set(response)) == (Status.SUCCESS, members)


def test_a_key_may_want_a_touch_before_it_knows_nothing() -> None:
    """NO_CREDENTIALS at once by default, with the quirk only after the touch, and silently for a silent request."""
    user = AutomaticUser(None)
    assert call(_key(user=user), GET_ASSERTION, assertion())[0] is Status.NO_CREDENTIALS
    key = _key(Quirk.TOUCH_BEFORE_NO_CREDENTIALS, user=ScriptedUser([]))
    assert key.start(bytes([GET_ASSERTION]) + b"\xa2\x01\x61a\x02\x58\x20" + bytes(32)).answer is None
    touched = _key(Quirk.TOUCH_BEFORE_NO_CREDENTIALS)
    assert call(touched, GET_ASSERTION, assertion())[0] is Status.NO_CREDENTIALS
    assert call(key, GET_ASSERTION, assertion({5: {"up": False}}))[0] is Status.NO_CREDENTIALS


def test_attested_data_stands_in_assertions_too() -> None:
    """The AT flag and the public key, as some keys send them."""
    key = _key(Quirk.ATTESTED_DATA_IN_ASSERTIONS)
    handle = register(key)
    _, response = call(key, GET_ASSERTION, assertion({3: [descriptor(handle)]}))
    assert response[2][32] & 0x40
    assert response[2][55 : 55 + len(handle)] == handle


def test_a_cancel_may_end_as_an_error_of_the_channel() -> None:
    """CTAPHID_ERROR instead of a CBOR answer; the key is free again."""
    hid = CtapHid(_key(Quirk.CANCEL_AS_HID_ERROR, user=AutomaticUser(None)))
    for report in (
        fragments(0xFFFFFFFF, 0x06, bytes(8)) + fragments(1, 0x10, bytes([SELECTION])) + fragments(1, 0x11, b"")
    ):
        hid.receive(report)
    assert [report[4:8] for report in hid.take_reports()][2:] == [b"\xbf\x00\x01\x7f"]
    hid.receive(fragments(1, 0x01, b"free")[0])
    assert hid.take_reports()[0][7:11] == b"free"


def test_some_keys_protect_without_being_asked() -> None:
    """Level 2 appears in the output and hides the credential from who does not know its id; an asked level wins."""
    key = _key(Quirk.PROTECTS_BY_DEFAULT)
    _, response = call(key, MAKE_CREDENTIAL, creation({7: {"rk": True}}))
    assert AuthenticatorData(response[2]).extensions == {"credProtect": 2}
    assert call(key, GET_ASSERTION, assertion())[0] is Status.NO_CREDENTIALS
    _, response = call(key, MAKE_CREDENTIAL, creation({6: {"credProtect": 1}}))
    assert AuthenticatorData(response[2]).extensions == {"credProtect": 1}


def test_some_keys_say_more_than_they_were_asked() -> None:
    """An extension output out of nowhere, and the enterprise certificate though it is not enabled."""
    key = _key(Quirk.ADDS_UNKNOWN_EXTENSION, Quirk.ALWAYS_ENTERPRISE_ATTESTATION)
    _, response = call(key, MAKE_CREDENTIAL, creation())
    assert AuthenticatorData(response[2]).extensions == {"authrig-unasked": True}
    assert (response[4], response[3]["x5c"]) == (True, [key.authority.enterprise.certificate])
    _, response = call(key, MAKE_CREDENTIAL, creation({0x0B: ["none"]}))
    assert (response.get(4), response[3]) == (None, {})


def test_every_quirk_is_tried_here() -> None:
    """And each can be written in a profile by its name."""
    source = Path(__file__).read_text(encoding="utf-8")
    for quirk in Quirk:
        assert f"Quirk.{quirk.name}" in source
