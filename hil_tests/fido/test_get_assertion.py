"""Get assertion: a login step by step (CTAP 2.3 §6.2, §6.3)."""

import hashlib
from typing import Any

import pytest
from fido2.ctap2.base import Info
from fido2.webauthn import AuthenticatorData

from authrig.ports.presence import Presence
from hil_tests.fido.host import (
    CLIENT_DATA_HASH,
    ERR,
    GET_ASSERTION,
    GET_NEXT_ASSERTION,
    OTHER_RP_ID,
    RP_ID,
    Host,
    P,
    Registered,
    assertion,
    check_signature,
    descriptor,
    random_id,
    refused,
    user,
)

pytestmark = pytest.mark.hil("fido", caps=["CTAP2"])
KEEPS = pytest.mark.hil("fido", caps=["rk", "credMgmt", "PIN"])

FLAG = AuthenticatorData.FLAG


@pytest.fixture
def registered(host: Host) -> Registered:
    """A credential that is not discoverable."""
    return host.register()


def _allowed(registered: Registered, **options: bool) -> dict[int, Any]:
    return {0x03: [descriptor(registered.id)], 0x05: options or None}


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 13")
def test_signature_verifies(host: Host, registered: Registered) -> None:
    """It is made with the credential's key over authData and clientDataHash."""
    check_signature(registered, host.sign(_allowed(registered)))


@pytest.mark.clause("WebAuthn §6.1")
def test_authenticator_data_names_the_relying_party(host: Host, registered: Registered) -> None:
    """The rpIdHash is the SHA-256 of the RP ID; there is no attested data, and no extension output unasked."""
    data = check_signature(registered, host.sign(_allowed(registered)))
    assert data.rp_id_hash == hashlib.sha256(RP_ID.encode()).digest()
    assert not data.flags & FLAG.AT, "attested credential data stands in registrations only"
    assert not data.flags & FLAG.ED


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 9")
def test_user_was_present(host: Host, registered: Registered) -> None:
    """A login with a touch has the flag UP."""
    assert check_signature(registered, host.sign(_allowed(registered))).flags & FLAG.UP


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 4")
def test_silent_assertion(host: Host, registered: Registered, info: Info, presence: Presence) -> None:
    """With up=false nobody touches, and the flag UP says so."""
    if info.options.get("up") is False:
        pytest.skip("the key has no test of user presence")
    with presence.held_back():
        data = check_signature(registered, host.ask(GET_ASSERTION, assertion(_allowed(registered, up=False))))
    assert not data.flags & FLAG.UP


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 6")
@pytest.mark.hil("fido", caps=["PIN"])
def test_with_proof_the_user_was_verified(host: Host, registered: Registered) -> None:
    """A login with a pinUvAuthParam has the flag UV, one without has not."""
    assert check_signature(registered, host.sign(_allowed(registered), verified=True)).flags & FLAG.UV


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 6")
def test_without_proof_the_user_was_not_verified(host: Host, registered: Registered, info: Info) -> None:
    """A login without a pinUvAuthParam has no flag UV."""
    if info.options.get("alwaysUv"):
        pytest.skip("the key always verifies its user")
    assert not check_signature(registered, host.sign(_allowed(registered))).flags & FLAG.UV


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 13")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_credential_is_named_also_when_it_is_the_only_one(host: Host, registered: Registered) -> None:
    """The response names the credential also with an allow list of one, as keys of CTAP 2.0 did not have to."""
    assert host.sign(_allowed(registered))[0x01] == descriptor(registered.id)


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
def test_unknown_credential_is_no_credential(host: Host) -> None:
    """An allow list of ids that the key has not made is NO_CREDENTIALS."""
    with refused(ERR.NO_CREDENTIALS):
        host.sign({0x03: [descriptor(random_id())]})


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_no_credential_is_told_without_a_touch(host: Host, presence: Presence, info: Info) -> None:
    """NO_CREDENTIALS comes at once: nobody shall touch for nothing."""
    if info.options.get("alwaysUv"):
        pytest.skip("the key always verifies its user")
    with presence.held_back(), refused(ERR.NO_CREDENTIALS):
        host.ask_untouched(GET_ASSERTION, assertion({0x03: [descriptor(random_id())]}))


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
def test_credential_of_another_relying_party_is_none(host: Host, registered: Registered) -> None:
    """A credential answers only for the RP ID that it was made for."""
    with refused(ERR.NO_CREDENTIALS):
        host.sign({0x01: OTHER_RP_ID, **_allowed(registered)})


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
def test_changed_credential_id_is_none(host: Host, registered: Registered) -> None:
    """One bit of a credential id changed, at the front, in the middle or at the end, is another id."""
    for at in (0, len(registered.id) // 2, len(registered.id) - 1):
        forged = bytearray(registered.id)
        forged[at] ^= 1
        with refused(ERR.NO_CREDENTIALS):
            host.sign({0x03: [descriptor(bytes(forged))]})


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_known_credential_is_found_behind_an_unknown_one(host: Host, registered: Registered, info: Info) -> None:
    """The key looks at the whole allow list."""
    if (info.max_creds_in_list or 2) < 2:
        pytest.skip("the key takes lists of one")
    response = host.sign({0x03: [descriptor(random_id()), descriptor(registered.id)]})
    assert response[0x01]["id"] == registered.id


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
def test_unknown_type_in_the_allow_list_is_passed_over(host: Host, registered: Registered) -> None:
    """A known id of an unknown type is no credential."""
    with refused(ERR.NO_CREDENTIALS):
        host.sign({0x03: [{"id": registered.id, "type": "private-key"}]})


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
def test_nothing_is_discoverable_by_accident(host: Host, registered: Registered) -> None:
    """A credential that was not made discoverable is not found without its id."""
    with refused(ERR.NO_CREDENTIALS):
        host.sign()


@pytest.mark.clause("CTAP 2.3 §6.2")
@pytest.mark.parametrize("member", [0x01, 0x02], ids=["rpId", "clientDataHash"])
def test_required_member_must_be_there(host: Host, member: int) -> None:
    """Without a required member it is MISSING_PARAMETER."""
    with refused(ERR.MISSING_PARAMETER):
        host.ask(GET_ASSERTION, assertion({member: None}))


WRONG_TYPES: dict[str, tuple[int, Any]] = {
    "rpId a byte string": (0x01, b"login.example.invalid"),
    "clientDataHash a text": (0x02, "hash"),
    "allowList a map": (0x03, {}),
    "extensions a list": (0x04, []),
    "options a list": (0x05, []),
}


@pytest.mark.clause("CTAP 2.3 §8.2")
@pytest.mark.parametrize("case", WRONG_TYPES)
def test_wrong_type_is_refused(host: Host, case: str) -> None:
    """A member of the wrong CBOR type is CBOR_UNEXPECTED_TYPE."""
    member, value = WRONG_TYPES[case]
    with refused(ERR.CBOR_UNEXPECTED_TYPE):
        host.ask(GET_ASSERTION, assertion({member: value}))


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 4")
def test_option_rk_has_no_meaning_here(host: Host, registered: Registered) -> None:
    """The option rk is refused."""
    with refused(ERR.UNSUPPORTED_OPTION, ERR.INVALID_OPTION):
        host.sign(_allowed(registered, rk=True))


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 4")
def test_option_uv_needs_a_key_that_can(host: Host, registered: Registered, info: Info) -> None:
    """The option uv=true without enrolled built-in verification is refused."""
    if info.options.get("uv"):
        pytest.skip("the key verifies its user itself")
    with refused(ERR.INVALID_OPTION, ERR.UNSUPPORTED_OPTION):
        host.ask(GET_ASSERTION, assertion(_allowed(registered, uv=True)))


@pytest.mark.clause("CTAP 2.3 §12")
def test_unknown_extension_is_ignored(host: Host, registered: Registered) -> None:
    """An extension that nobody has defined is no reason to refuse."""
    check_signature(registered, host.sign({**_allowed(registered), 0x04: {"future": True}}))


@pytest.mark.clause("WebAuthn §6.1.1")
def test_counter_grows(host: Host, registered: Registered) -> None:
    """The signature counter is larger each time, or always zero."""
    counts = [check_signature(registered, host.sign(_allowed(registered))).counter for _ in range(3)]
    assert counts == sorted(set(counts)) or set(counts) == {0}


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 6")
@pytest.mark.hil("fido", caps=["PIN"])
def test_wrong_proof_is_refused(host: Host, registered: Registered) -> None:
    """A pinUvAuthParam over something else is PIN_AUTH_INVALID."""
    param, protocol = host.proof(P.GET_ASSERTION, RP_ID, b"something else")
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(GET_ASSERTION, assertion({**_allowed(registered), 0x06: param, 0x07: protocol}))


@pytest.mark.clause("CTAP 2.3 §6.2.2 step 6")
@pytest.mark.hil("fido", caps=["PIN", "pinUvAuthToken"])
def test_token_without_the_permission_is_refused(host: Host, registered: Registered) -> None:
    """A token for registrations does not log in."""
    param, protocol = host.proof(P.MAKE_CREDENTIAL, RP_ID, CLIENT_DATA_HASH)
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(GET_ASSERTION, assertion({**_allowed(registered), 0x06: param, 0x07: protocol}))


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6.2.2 step 7")
def test_discoverable_credential_is_found_without_its_id(host: Host) -> None:
    """And the response names its user, at least by id."""
    registered = host.register({0x07: {"rk": True}})
    response = host.sign()
    check_signature(registered, response)
    assert response[0x04]["id"] == b"alice"


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6.2.2 step 13")
def test_discoverable_credential_names_its_user_also_with_an_allow_list(host: Host) -> None:
    """A relying party that sends ids gets the user handle too."""
    registered = host.register({0x07: {"rk": True}})
    assert host.sign({0x03: [descriptor(registered.id)]}).get(0x04, {}).get("id") == b"alice"


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6.2.2 step 13")
def test_names_are_kept_from_who_is_not_verified(host: Host) -> None:
    """Without verification the response has no name of the user: whoever finds the key learns none."""
    host.register({0x07: {"rk": True}})
    assert set(host.sign().get(0x04, {})) <= {"id"}


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6.2.2 step 11, §6.3")
def test_several_accounts_are_shown_one_by_one(host: Host) -> None:
    """The member numberOfCredentials counts them, the newest comes first, and getNextAssertion shows the others."""
    made = [host.register({0x03: user(name), 0x07: {"rk": True}}) for name in ("alice", "bob", "carol")]
    response = host.sign(verified=True)
    assert response[0x05] == 3
    responses = [response, *(host.ask(GET_NEXT_ASSERTION) for _ in range(2))]
    assert [response[0x04]["id"] for response in responses] == [b"carol", b"bob", b"alice"]
    for registered, found in zip(reversed(made), responses, strict=True):
        check_signature(registered, found)
    with refused(ERR.NOT_ALLOWED):
        host.ask(GET_NEXT_ASSERTION)


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6.2.2 step 13")
def test_accounts_have_names_for_the_verified_user(host: Host) -> None:
    """Who is verified and has several accounts sees their names, to choose."""
    for name in ("alice", "bob"):
        host.create({0x03: user(name), 0x07: {"rk": True}})
    response = host.sign(verified=True)
    assert response[0x04] == user("bob")
    assert host.ask(GET_NEXT_ASSERTION)[0x04] == user("alice")


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6")
def test_another_command_ends_the_list_of_accounts(host: Host) -> None:
    """A getNextAssertion after some other command is NOT_ALLOWED."""
    for name in ("alice", "bob"):
        host.create({0x03: user(name), 0x07: {"rk": True}})
    host.sign(verified=True)
    host.register()
    with refused(ERR.NOT_ALLOWED):
        host.ask(GET_NEXT_ASSERTION)


@pytest.mark.clause("CTAP 2.3 §6.3")
def test_next_assertion_without_a_first_is_refused(host: Host) -> None:
    """A getNextAssertion out of the blue is NOT_ALLOWED (INVALID_COMMAND where the key cannot have several)."""
    with refused(ERR.NOT_ALLOWED, ERR.INVALID_COMMAND):
        host.ask(GET_NEXT_ASSERTION)
