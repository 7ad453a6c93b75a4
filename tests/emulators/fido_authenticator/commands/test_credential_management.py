from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from fido2 import cbor
from fido2.ctap import CtapError
from fido2.ctap2.credman import CredentialManagement
from fido2.ctap2.pin import PinProtocol, PinProtocolV1, PinProtocolV2
from fido2.webauthn import (
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.fido_authenticator.cbor import encode
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import Save, dump
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, call, descriptor
from tests.emulators.fido_authenticator.pin_host import PERMISSION, PinHost

RESULT = CredentialManagement.RESULT
CREDENTIAL_MANAGEMENT, PREVIEW = 0x0A, 0x41
READ_ONLY = PERMISSION.PERSISTENT_CREDENTIAL_MGMT


def _hash(rp_id: str) -> bytes:
    return sha256(rp_id.encode()).digest()


def _named(credential_id: bytes) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=credential_id)


def _user(user_id: bytes, name: str | None = None) -> PublicKeyCredentialUserEntity:
    return PublicKeyCredentialUserEntity(id=user_id, name=name)


def _refusal(action: Callable[[], object]) -> Status:
    with pytest.raises(CtapError) as caught:
        action()
    return Status(int(caught.value.code))


def _signed(host: PinHost, token: bytes, subcommand: int, parameters: dict[int, Any] | None = None) -> dict[int, Any]:
    message = bytes([subcommand]) + (cbor.encode(parameters) if parameters is not None else b"")
    request = {1: subcommand, 3: host.protocol.VERSION, 4: host.protocol.authenticate(token, message)}
    return {**request, **({} if parameters is None else {2: parameters})}


@pytest.mark.parametrize("protocol", [PinProtocolV1(), PinProtocolV2()], ids=["one", "two"])
def test_a_host_lists_all_that_is_known_and_deletes_it(protocol: PinProtocol) -> None:
    """python-fido2 sees relying parties and credentials with every member, and afterwards none."""
    host = PinHost(protocol)
    room = host.manager().get_metadata()[RESULT.MAX_REMAINING_COUNT]
    extensions = {
        "credentialProtectionPolicy": "userVerificationRequired",
        "largeBlob": {"support": "required"},
        "payment": {"isPayment": True},
    }
    made = host.register(extensions)[0].credential_data
    assert made is not None
    host.register(rp_id="example.org", user=b"bob")
    host.register(resident=False, user=b"sealed")
    manager = host.manager()
    assert manager.get_metadata() == {RESULT.EXISTING_CRED_COUNT: 2, RESULT.MAX_REMAINING_COUNT: room - 2}
    assert manager.enumerate_rps() == [
        {
            RESULT.RP: {"id": "example.com", "name": "RP example.com"},
            RESULT.RP_ID_HASH: _hash("example.com"),
            RESULT.TOTAL_RPS: 2,
        },
        {RESULT.RP: {"id": "example.org", "name": "RP example.org"}, RESULT.RP_ID_HASH: _hash("example.org")},
    ]
    shown = dict(manager.enumerate_creds(_hash("example.com"))[0])
    key = shown.pop(RESULT.LARGE_BLOB_KEY)
    assert len(key) == 32
    assert shown == {
        RESULT.USER: {"id": b"ada", "name": "ada", "displayName": "Ada"},
        RESULT.CREDENTIAL_ID: descriptor(made.credential_id),
        RESULT.PUBLIC_KEY: made.public_key,
        RESULT.TOTAL_CREDENTIALS: 1,
        RESULT.CRED_PROTECT: 3,
        RESULT.THIRD_PARTY_PAYMENT: True,
    }
    (plain,) = manager.enumerate_creds(_hash("example.org"))
    assert (plain[RESULT.CRED_PROTECT], plain[RESULT.THIRD_PARTY_PAYMENT]) == (1, False)
    assert RESULT.LARGE_BLOB_KEY not in plain
    for credential in (shown, plain):
        manager.delete_cred(credential[RESULT.CREDENTIAL_ID])
    assert manager.get_metadata() == {RESULT.EXISTING_CRED_COUNT: 0, RESULT.MAX_REMAINING_COUNT: room}
    assert (manager.enumerate_rps(), manager.enumerate_creds(_hash("example.com"))) == ([], [])


def test_credentials_are_shown_newest_first_and_an_update_keeps_their_place() -> None:
    """Names that an update leaves out or empties are forgotten; the login shows the new ones."""
    host = PinHost()
    for user in (b"ada", b"bob", b"eve"):
        host.register(user=user)
    manager = host.manager()
    shown = manager.enumerate_creds(_hash("example.com"))
    assert [credential[RESULT.USER]["id"] for credential in shown] == [b"eve", b"bob", b"ada"]
    bob = shown[1][RESULT.CREDENTIAL_ID]
    for names in ({"name": "Robert", "displayName": "Bobby"}, {"name": "B"}, {"name": "", "displayName": "B"}, {}):
        # Not through update_user_info: python-fido2 2.2.1 encodes an empty name as an array.
        request = _signed(host, manager.pin_uv.token, 7, {2: dict(bob), 3: {"id": b"bob", **names}})
        assert call(host.authenticator, CREDENTIAL_MANAGEMENT, request)[0] is Status.SUCCESS
        shown = manager.enumerate_creds(_hash("example.com"))
        kept = {name: value for name, value in names.items() if value}
        assert [credential[RESULT.USER]["id"] for credential in shown] == [b"eve", b"bob", b"ada"]
        assert shown[1][RESULT.USER] == {"id": b"bob", **kept}
        assert shown[1][RESULT.CREDENTIAL_ID] == bob
    manager.update_user_info(_named(bob["id"]), _user(b"bob", "Robert"))
    store = host.authenticator.store
    assert [credential.user and credential.user.name for credential in store.credentials("example.com")][1] == "Robert"


def test_what_is_not_there_or_somebody_elses_is_not_changed() -> None:
    """Unknown, sealed and foreign-typed credentials, another user's id: each with its own status, nothing changed."""
    host = PinHost()
    sealed = host.register(resident=False)[0].credential_data
    made = host.register()[0].credential_data
    assert sealed is not None
    assert made is not None
    manager, before = host.manager(), dump(host.authenticator.store)
    for unknown in (
        descriptor(b"unknown"),
        descriptor(sealed.credential_id),
        {"id": made.credential_id, "type": "future"},
    ):
        token = manager.pin_uv.token
        for subcommand, parameters in ((6, {2: unknown}), (7, {2: unknown, 3: {"id": b"ada"}})):
            request = _signed(host, token, subcommand, parameters)
            answer = call(host.authenticator, CREDENTIAL_MANAGEMENT, request)
            assert answer == (Status.NO_CREDENTIALS, {})
    assert (
        _refusal(lambda: manager.update_user_info(_named(made.credential_id), _user(b"bob")))
        is Status.INVALID_PARAMETER
    )
    assert dump(host.authenticator.store) == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({1: None}, Status.MISSING_PARAMETER),
        ({1: "1"}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: 0}, Status.INVALID_SUBCOMMAND),
        ({1: 8}, Status.INVALID_SUBCOMMAND),
        ({1: -1}, Status.INVALID_SUBCOMMAND),
        ({4: None}, Status.PUAT_REQUIRED),
        ({3: None, 4: None}, Status.PUAT_REQUIRED),
        ({3: None}, Status.MISSING_PARAMETER),
        ({3: 3}, Status.INVALID_PARAMETER),
        ({4: bytes(32)}, Status.PIN_AUTH_INVALID),
        ({4: b""}, Status.PIN_AUTH_INVALID),
        ({2: [1]}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: None}, Status.MISSING_PARAMETER),
        ({2: {}}, Status.MISSING_PARAMETER),
        ({2: {1: "hash"}}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: {1: bytes(31)}}, Status.PIN_AUTH_INVALID),
    ],
)
def test_a_malformed_request_has_its_own_status(change: dict[int, Any], expected: Status) -> None:
    """Nothing is shown and nothing changes."""
    host = PinHost()
    host.register()
    request = _signed(host, host.token(PERMISSION.CREDENTIAL_MGMT), 4, {1: _hash("example.com")}) | change
    before = dump(host.authenticator.store)
    answer = call(
        host.authenticator,
        CREDENTIAL_MANAGEMENT,
        {key: value for key, value in request.items() if value is not None},
    )
    assert answer == (expected, {})
    assert dump(host.authenticator.store) == before


def test_an_unknown_relying_party_has_no_credentials() -> None:
    """A hash of any length that nobody has."""
    host = PinHost()
    host.register()
    manager = host.manager()
    for rp_id_hash in (bytes(32), b"", _hash("example.org")):
        assert _refusal(partial(manager.enumerate_creds_begin, rp_id_hash)) is Status.NO_CREDENTIALS
    assert _refusal(PinHost().manager().enumerate_rps_begin) is Status.NO_CREDENTIALS


def test_a_token_needs_the_permission() -> None:
    """One for large blobs manages no credentials."""
    manager = PinHost().manager(PERMISSION.LARGE_BLOB_WRITE)
    assert _refusal(manager.get_metadata) is Status.PIN_AUTH_INVALID


def test_a_token_of_one_relying_party_manages_its_credentials_only() -> None:
    """It neither counts nor lists the others'."""
    host = PinHost()
    own = host.register()[0].credential_data
    other = host.register(rp_id="example.org")[0].credential_data
    assert own is not None
    assert other is not None
    manager = host.manager(rp_id="example.com")
    assert len(manager.enumerate_creds(_hash("example.com"))) == 1
    refused: list[Callable[[], object]] = [
        manager.get_metadata,
        manager.enumerate_rps_begin,
        lambda: manager.enumerate_creds_begin(_hash("example.org")),
        lambda: manager.enumerate_creds_begin(_hash("nobody.example")),
        lambda: manager.delete_cred(_named(other.credential_id)),
        lambda: manager.update_user_info(_named(other.credential_id), _user(b"ada")),
    ]
    before = dump(host.authenticator.store)
    for action in refused:
        assert _refusal(action) is Status.PIN_AUTH_INVALID
    assert dump(host.authenticator.store) == before
    manager.update_user_info(_named(own.credential_id), _user(b"ada"))
    manager.delete_cred(_named(own.credential_id))
    assert host.authenticator.store.count() == 1


def test_the_persistent_token_lists_for_ever_and_changes_nothing() -> None:
    """Also after the plug was pulled; but not after a reset."""
    host = PinHost()
    made = host.register()[0].credential_data
    assert made is not None
    manager = host.manager(READ_ONLY)
    for _ in range(2):
        assert manager.get_metadata()[RESULT.EXISTING_CRED_COUNT] == 1
        assert len(manager.enumerate_rps()) == 1
        assert len(manager.enumerate_creds(_hash("example.com"))) == 1
        changes: list[Callable[[], object]] = [
            lambda: manager.delete_cred(_named(made.credential_id)),
            lambda: manager.update_user_info(_named(made.credential_id), _user(b"ada")),
        ]
        for change in changes:
            assert _refusal(change) is Status.PIN_AUTH_INVALID
        host.clock.advance(86_400)
        host.authenticator.power_up()
    host.ctap.reset()
    assert _refusal(manager.get_metadata) is Status.PIN_AUTH_INVALID


@pytest.mark.parametrize("begin", ["relying parties", "credentials"])
def test_a_listing_goes_on_only_where_it_began(begin: str) -> None:
    """Not without a beginning, after its end, another command, another channel, half a minute or a power-down."""
    host = PinHost()
    for number in range(3):
        host.register(rp_id=f"{number}.example")
        host.register(rp_id="0.example", user=bytes([number + 65]))
    manager = host.manager()
    start, follow_up = (
        (manager.enumerate_rps_begin, 3)
        if begin == "relying parties"
        else (lambda: manager.enumerate_creds_begin(_hash("0.example")), 5)
    )

    def go_on(channel: int = 0) -> Status:
        return call(host.authenticator, CREDENTIAL_MANAGEMENT, {1: follow_up}, channel)[0]

    assert go_on() is Status.NOT_ALLOWED
    interruptions: list[Callable[[], object]] = [
        lambda: call(host.authenticator, GET_INFO),
        manager.get_metadata,
        lambda: go_on(channel=7),
        lambda: host.clock.advance(30.1),
        lambda: call(host.authenticator, CREDENTIAL_MANAGEMENT, {1: 8 - follow_up}),
    ]
    for interrupt in interruptions:
        start()
        assert go_on() is Status.SUCCESS
        interrupt()
        assert go_on() is Status.NOT_ALLOWED
    start()
    host.clock.advance(29)
    assert go_on() is Status.SUCCESS
    host.clock.advance(29)
    # The time starts anew with each one; the list is not endless.
    statuses = [go_on() for _ in range(5)]
    assert statuses[-1] is Status.NOT_ALLOWED
    assert statuses == sorted(statuses)
    start()
    host.authenticator.power_up()
    assert go_on() is Status.NOT_ALLOWED


def test_a_listing_ends_with_its_token() -> None:
    """Ten minutes after it was given out, a token and all that it opened are over."""
    host = PinHost()
    for number in range(3):
        host.register(rp_id=f"{number}.example")
    manager = host.manager()
    manager.get_metadata()
    host.clock.advance(590)
    manager.enumerate_rps_begin()
    manager.enumerate_rps_next()
    host.clock.advance(11)
    assert _refusal(manager.enumerate_rps_next) is Status.NOT_ALLOWED
    assert _refusal(manager.get_metadata) is Status.PIN_AUTH_INVALID


def test_the_preview_does_the_same() -> None:
    """libfido2 1.12 sends 0x41; the two do not go on with each other's listings."""
    host = PinHost()
    made = [host.register(rp_id=rp_id)[0].credential_data for rp_id in ("a.example", "b.example")]
    token = host.token(PERMISSION.CREDENTIAL_MGMT)

    def preview(subcommand: int, parameters: dict[int, Any] | None = None) -> tuple[Status, Any]:
        return call(host.authenticator, PREVIEW, _signed(host, token, subcommand, parameters))

    assert preview(1)[1][RESULT.EXISTING_CRED_COUNT] == 2
    assert preview(2)[1][RESULT.TOTAL_RPS] == 2
    assert call(host.authenticator, PREVIEW, {1: 3})[1][RESULT.RP]["id"] == "b.example"
    assert preview(2)[0] is Status.SUCCESS
    assert call(host.authenticator, CREDENTIAL_MANAGEMENT, {1: 3})[0] is Status.NOT_ALLOWED
    shown = preview(4, {1: _hash("a.example")})[1]
    assert made[0] is not None
    assert shown[RESULT.CREDENTIAL_ID] == descriptor(made[0].credential_id)
    assert preview(7, {2: shown[RESULT.CREDENTIAL_ID], 3: {"id": b"ada", "name": "Ada"}})[0] is Status.SUCCESS
    assert preview(6, {2: shown[RESULT.CREDENTIAL_ID]})[0] is Status.SUCCESS
    assert host.authenticator.store.count() == 1


def test_before_permissions_every_token_managed_credentials() -> None:
    """A key without pinUvAuthToken gives out tokens of one kind."""
    old = {"pinUvAuthToken": False, "perCredMgmtRO": False, "setMinPINLength": False, "authnrCfg": False}
    host = PinHost(options=old)
    token: bytes = host.pin.get_pin_token("correct horse")
    assert call(host.authenticator, PREVIEW, _signed(host, token, 1))[0] is Status.SUCCESS


_VALUES = st.recursive(
    st.integers(-3, 300) | st.binary(max_size=40) | st.text(max_size=5) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.integers(0, 4), inner, max_size=3),
    max_leaves=4,
)
_FUZZED = PinHost()
_FUZZED.register()


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.integers(0, 5), _VALUES, max_size=5), st.sampled_from([CREDENTIAL_MANAGEMENT, PREVIEW]))
def test_nothing_is_shown_or_changed_without_a_proof(parameters: dict[int, Any], command: int) -> None:
    """Whatever a host sends."""
    before = dump(_FUZZED.authenticator.store)
    answer = _FUZZED.authenticator.start(bytes([command]) + encode(parameters)).answer
    assert answer is not None
    assert answer[0] != Status.SUCCESS
    assert len(answer) == 1
    assert dump(_FUZZED.authenticator.store) == before


def test_a_credential_of_a_newer_version_can_be_seen_and_deleted() -> None:
    """Its public key is beyond this version."""
    host = PinHost()
    newer = Credential(b"newer", "example.com", -65000, b"k", UserEntity(b"bob"), discoverable=True)
    host.authenticator.store.commit(Save(newer))
    manager = host.manager()
    (shown,) = manager.enumerate_creds(_hash("example.com"))
    assert RESULT.PUBLIC_KEY not in shown
    assert (shown[RESULT.USER], shown[RESULT.CREDENTIAL_ID]) == ({"id": b"bob"}, descriptor(b"newer"))
    manager.delete_cred(_named(b"newer"))
    assert host.authenticator.store.count() == 0
