"""Credential management: counting, listing, deleting and renaming what is discoverable (CTAP 2.3 §6.8)."""

import hashlib
from typing import Any

import pytest
from fido2 import cbor
from fido2.ctap2.credman import CredentialManagement
from fido2.webauthn import PublicKeyCredentialDescriptor, PublicKeyCredentialUserEntity

from hil_tests.fido.host import (
    CREDENTIAL_MANAGEMENT,
    ERR,
    OTHER_RP_ID,
    RP_ID,
    Host,
    P,
    descriptor,
    random_id,
    refused,
    user,
)

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "credMgmt", "PIN", "rk"])

GET_METADATA, RPS_BEGIN, NEXT_RP, CREDENTIALS_BEGIN, NEXT_CREDENTIAL, DELETE, UPDATE = range(1, 8)
RESULT = CredentialManagement.RESULT
RP_ID_HASH = hashlib.sha256(RP_ID.encode()).digest()
ALICE = {0x07: {"rk": True}}
BOB = {0x03: user("bob"), 0x07: {"rk": True}}


def _ask(
    host: Host,
    subcommand: int,
    parameters: dict[int, Any] | None = None,
    permissions: P = P.CREDENTIAL_MGMT,
    rp_id: str | None = None,
) -> dict[int, Any]:
    message = bytes((subcommand,)) + (b"" if parameters is None else cbor.encode(parameters))
    param, protocol = host.proof(permissions, rp_id, message)
    members = {0x01: subcommand, 0x02: parameters, 0x03: protocol, 0x04: param}
    return host.ask(CREDENTIAL_MANAGEMENT, {key: value for key, value in members.items() if value is not None})


def _counts(host: Host) -> tuple[int, int]:
    metadata = host.credential_management().get_metadata()
    return metadata[RESULT.EXISTING_CRED_COUNT], metadata[RESULT.MAX_REMAINING_COUNT]


@pytest.mark.clause("CTAP 2.3 §6.8.2")
def test_new_credential_is_counted(host: Host) -> None:
    """One more exists, and there is no more room than before."""
    existing, remaining = _counts(host)
    host.create(ALICE)
    more, left = _counts(host)
    assert more == existing + 1
    assert left <= remaining


@pytest.mark.clause("CTAP 2.3 §6.8.2")
def test_undiscoverable_credential_is_not_counted(host: Host) -> None:
    """A credential that lives in its own id takes no room."""
    before = _counts(host)
    host.register(verified=True)
    assert _counts(host) == before


@pytest.mark.clause("CTAP 2.3 §6.8.3")
def test_relying_parties_are_listed(host: Host) -> None:
    """Each with its id and the hash of it, and totalRPs counts them."""
    host.create(ALICE)
    host.create({0x02: {"id": OTHER_RP_ID}, 0x07: {"rk": True}})
    listed = host.credential_management().enumerate_rps()
    assert listed[0][RESULT.TOTAL_RPS] == len(listed)
    hashes = {entry[RESULT.RP]["id"]: entry[RESULT.RP_ID_HASH] for entry in listed}
    for rp_id in (RP_ID, OTHER_RP_ID):
        assert hashes[rp_id] == hashlib.sha256(rp_id.encode()).digest()


@pytest.mark.clause("CTAP 2.3 §6.8.4")
def test_credentials_are_listed(host: Host) -> None:
    """Each with user, id and public key, and totalCredentials counts them."""
    made = {registered.id: registered for registered in (host.register(ALICE), host.register(BOB))}
    listed = host.credential_management().enumerate_creds(RP_ID_HASH)
    assert listed[0][RESULT.TOTAL_CREDENTIALS] == len(listed) == 2
    assert {entry[RESULT.USER]["id"] for entry in listed} == {b"alice", b"bob"}
    for entry in listed:
        assert entry[RESULT.PUBLIC_KEY] == made[entry[RESULT.CREDENTIAL_ID]["id"]].public_key


@pytest.mark.clause("CTAP 2.3 §6.8.4")
@pytest.mark.hil("fido", caps=["credProtect"])
def test_listed_credential_tells_its_protection(host: Host) -> None:
    """The list names the credProtect level that the credential was made with."""
    host.create({0x06: {"credProtect": 2}, 0x07: {"rk": True}})
    (entry,) = host.credential_management().enumerate_creds(RP_ID_HASH)
    assert entry[RESULT.CRED_PROTECT] == 2


@pytest.mark.clause("CTAP 2.3 §6.8.4")
def test_relying_party_without_credentials_has_none(host: Host) -> None:
    """Listing what there is not is NO_CREDENTIALS."""
    with refused(ERR.NO_CREDENTIALS):
        _ask(host, CREDENTIALS_BEGIN, {0x01: hashlib.sha256(b"nobody.example.invalid").digest()})


@pytest.mark.clause("CTAP 2.3 §6.8.5")
def test_deleted_credential_is_gone(host: Host) -> None:
    """It no longer logs in, and is no longer counted."""
    before = _counts(host)
    registered = host.register(ALICE)
    _ask(host, DELETE, {0x02: descriptor(registered.id)})
    assert _counts(host) == before
    with refused(ERR.NO_CREDENTIALS):
        host.sign({0x03: [descriptor(registered.id)]})


@pytest.mark.clause("CTAP 2.3 §6.8.5")
def test_deleting_one_leaves_the_other(host: Host) -> None:
    """The other account of the relying party still logs in."""
    alice, bob = host.register(ALICE), host.register(BOB)
    _ask(host, DELETE, {0x02: descriptor(alice.id)})
    assert host.sign()[0x01]["id"] == bob.id


@pytest.mark.clause("CTAP 2.3 §6.8.5")
def test_unknown_credential_is_not_deleted(host: Host) -> None:
    """An id that the key does not have is NO_CREDENTIALS."""
    with refused(ERR.NO_CREDENTIALS):
        _ask(host, DELETE, {0x02: descriptor(random_id())})


@pytest.mark.clause("CTAP 2.3 §6.8.6")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_user_gets_other_names(host: Host) -> None:
    """A verified login shows the new ones."""
    registered = host.register(ALICE)
    host.create(BOB)
    renamed = PublicKeyCredentialUserEntity(id=b"alice", name="alice2", display_name="Alice II")
    where = PublicKeyCredentialDescriptor.from_dict(descriptor(registered.id))
    host.credential_management().update_user_info(where, renamed)
    users = [entry[RESULT.USER] for entry in host.credential_management().enumerate_creds(RP_ID_HASH)]
    assert {"id": b"alice", "name": "alice2", "displayName": "Alice II"} in [dict(one) for one in users]


@pytest.mark.clause("CTAP 2.3 §6.8.6")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_user_stays_the_same_person(host: Host) -> None:
    """Another user id than the credential's is INVALID_PARAMETER."""
    registered = host.register(ALICE)
    with refused(ERR.INVALID_PARAMETER):
        _ask(host, UPDATE, {0x02: descriptor(registered.id), 0x03: user("mallory")})


@pytest.mark.clause("CTAP 2.3 §6.8")
def test_no_proof_no_list(host: Host) -> None:
    """Without a pinUvAuthParam it is PUAT_REQUIRED (MISSING_PARAMETER on some)."""
    with refused(ERR.PUAT_REQUIRED, ERR.MISSING_PARAMETER):
        host.ask(CREDENTIAL_MANAGEMENT, {0x01: GET_METADATA})


@pytest.mark.clause("CTAP 2.3 §6.8.2")
def test_wrong_proof_is_refused(host: Host) -> None:
    """A pinUvAuthParam over another subcommand is PIN_AUTH_INVALID."""
    param, protocol = host.proof(P.CREDENTIAL_MGMT, None, bytes((RPS_BEGIN,)))
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(CREDENTIAL_MANAGEMENT, {0x01: GET_METADATA, 0x03: protocol, 0x04: param})


@pytest.mark.clause("CTAP 2.3 §6.8.2")
@pytest.mark.hil("fido", caps=["pinUvAuthToken"])
def test_token_without_the_permission_is_refused(host: Host) -> None:
    """A token for logins does not manage."""
    with refused(ERR.PIN_AUTH_INVALID, ERR.PUAT_REQUIRED):
        _ask(host, GET_METADATA, None, P.GET_ASSERTION, RP_ID)


@pytest.mark.clause("CTAP 2.3 §6.8.3")
@pytest.mark.hil("fido", caps=["pinUvAuthToken"])
def test_token_of_one_relying_party_does_not_list_all(host: Host) -> None:
    """A token bound to an RP ID is refused where all of them would be seen."""
    host.create(ALICE)
    with refused(ERR.PIN_AUTH_INVALID):
        _ask(host, RPS_BEGIN, None, P.CREDENTIAL_MGMT, RP_ID)


@pytest.mark.clause("CTAP 2.3 §6.8.5")
@pytest.mark.hil("fido", caps=["pinUvAuthToken"])
def test_token_of_another_relying_party_deletes_nothing(host: Host) -> None:
    """A token bound to another RP ID is refused, and the credential stays."""
    registered = host.register(ALICE)
    with refused(ERR.PIN_AUTH_INVALID):
        _ask(host, DELETE, {0x02: descriptor(registered.id)}, P.CREDENTIAL_MGMT, OTHER_RP_ID)
    host.sign({0x03: [descriptor(registered.id)]})


@pytest.mark.clause("CTAP 2.3 §6.8")
@pytest.mark.hil("fido", caps=["perCredMgmtRO"])
def test_read_only_token_lists_and_does_not_delete(host: Host) -> None:
    """The persistent token of CTAP 2.2 sees credentials, and can change none."""
    registered = host.register(ALICE)
    assert _ask(host, GET_METADATA, None, P.PERSISTENT_CREDENTIAL_MGMT)[0x01] >= 1
    with refused(ERR.PIN_AUTH_INVALID):
        _ask(host, DELETE, {0x02: descriptor(registered.id)}, P.PERSISTENT_CREDENTIAL_MGMT)


@pytest.mark.clause("CTAP 2.3 §6.8.3, §6.8.4")
@pytest.mark.parametrize("subcommand", [NEXT_RP, NEXT_CREDENTIAL], ids=["relying party", "credential"])
def test_next_one_without_a_first_is_refused(host: Host, subcommand: int) -> None:
    """Going on with a list that was not begun is NOT_ALLOWED."""
    with refused(ERR.NOT_ALLOWED):
        host.ask(CREDENTIAL_MANAGEMENT, {0x01: subcommand})


@pytest.mark.clause("CTAP 2.3 §6")
def test_another_command_ends_the_list(host: Host) -> None:
    """After some other command the list does not go on."""
    host.create(ALICE)
    host.create(BOB)
    assert _ask(host, CREDENTIALS_BEGIN, {0x01: RP_ID_HASH})[0x09] == 2
    host.register()
    with refused(ERR.NOT_ALLOWED):
        host.ask(CREDENTIAL_MANAGEMENT, {0x01: NEXT_CREDENTIAL})
