"""Every profile that ships: what it promises works, over the wire, with a client and a server that know no profile."""

from typing import Any

import msgspec
import pytest
from cryptography import x509
from fido2.attestation.base import AttestationVerifier
from fido2.client import DefaultClientDataCollector, Fido2Client
from fido2.ctap2.base import Ctap2
from fido2.hid import CAPABILITY
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator, check_implemented
from emulators.fido_authenticator.ctaphid import MAX_MESSAGE_BYTES, CtapHid
from emulators.fido_authenticator.profile import U2F_V2
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.transports.in_process import InProcessTransport
from emulators.fido_authenticator.user import Act, ScriptedUser
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_INFO,
    MAKE_CREDENTIAL,
    SELECTION,
    call,
    creation,
    register,
)

PRODUCTS = {"yubikey-5.8", "yubikey-5.2", "nitrokey-3", "solo-2", "google-titan", "feitian-biopass"}
OWN = {"u2f-only", "minimal-2.0"}
CTAP2 = sorted(name for name in profiles.names() if profiles.load(name).has_ctap2)


class _Trust(AttestationVerifier):
    def __init__(self, root: bytes) -> None:
        super().__init__()
        self._root = root

    def ca_lookup(self, attestation_result: object, auth_data: object) -> bytes:  # noqa: ARG002 - any is to be trusted
        return self._root


def _key(name: str) -> Authenticator:
    return Authenticator(Env.simulated(name), profiles.load(name))


def test_the_products_are_there() -> None:
    """The default key, six products, and two keys with little."""
    assert set(profiles.names()) >= PRODUCTS | OWN | {profiles.DEFAULT}
    assert MAX_MESSAGE_BYTES == profiles.MAX_MESSAGE_BYTES


@pytest.mark.parametrize("name", profiles.names())
def test_a_stranger_registers_and_logs_in(name: str) -> None:
    """python-fido2's client and server do both ceremonies, and trust the attestation by the key's root alone."""
    key = _key(name)
    device = InProcessTransport(CtapHid(key)).open_device()
    client = Fido2Client(device, DefaultClientDataCollector("https://example.com"))
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id="example.com", name="Example"),
        attestation=AttestationConveyancePreference.DIRECT,
        verify_attestation=_Trust(key.authority.root.certificate),
    )
    discouraged = UserVerificationRequirement.DISCOURAGED
    # A key that refuses lists with algorithms that it does not know gets a list without them.
    known_algorithms = set(key.profile.all_algorithms)
    server.allowed_algorithms = [item for item in server.allowed_algorithms if item.alg in known_algorithms]
    options, state = server.register_begin(
        PublicKeyCredentialUserEntity(id=b"ada", name="ada", display_name="Ada"),
        user_verification=discouraged,
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
    )
    made = client.make_credential(options.public_key)
    known = server.register_complete(state, made).credential_data
    assert known is not None
    statement = made.response.attestation_object.att_stmt
    for certificate in statement.get("x5c", ()):
        assert "TEST" in x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    wanted, state = server.authenticate_begin([known], user_verification=discouraged)
    server.authenticate_complete(state, [known], client.get_assertion(wanted.public_key).get_response(0))


@pytest.mark.parametrize("name", CTAP2)
def test_getinfo_and_profile_agree(name: str) -> None:
    """What python-fido2 reads is what the file says, and it names no member beyond those of the product."""
    profile = profiles.load(name)
    info = Ctap2(InProcessTransport(CtapHid(_key(name))).open_device()).info
    assert (info.versions, bytes(info.aaguid)) == (list(profile.versions), profile.aaguid.bytes)
    told = set(call(_key(name), GET_INFO)[1])
    assert profile.info_members is None or told <= profile.info_members
    for member, said, meant in (
        (0x02, info.extensions, list(profile.extensions)),
        (0x05, info.max_msg_size, profile.limits.max_msg_size),
        (0x06, info.pin_uv_protocols, list(profile.pin_uv_auth_protocols)),
        (0x09, info.transports, list(profile.transports)),
        (0x14, info.remaining_disc_creds, profile.limits.max_discoverable_credentials),
    ):
        assert member not in told or said == meant


@pytest.mark.parametrize("name", CTAP2)
def test_every_algorithm_of_a_product_works_and_no_other(name: str) -> None:
    """Each one makes a credential whose id, with all that extensions keep in it, fits; the next one is refused."""
    key = _key(name)
    blob = bytes(key.profile.limits.max_cred_blob_length)
    wishes = {"credBlob": blob, "credProtect": 3, "hmac-secret": True, "thirdPartyPayment": True}
    extensions = {name: wish for name, wish in wishes.items() if name in key.profile.extensions}
    for algorithm in key.profile.all_algorithms:
        handle = register(key, {4: [{"alg": algorithm, "type": "public-key"}], 6: extensions})
        assert len(handle) <= key.profile.limits.max_credential_id_length
    strange = creation({4: [{"alg": -65535, "type": "public-key"}]})
    assert call(key, MAKE_CREDENTIAL, strange)[0] is Status.UNSUPPORTED_ALGORITHM


@pytest.mark.parametrize("name", profiles.names())
def test_no_profile_promises_too_much(name: str) -> None:
    """All that it names is implemented; the source of its facts is given; U2F is announced where it is spoken."""
    profile = profiles.load(name)
    check_implemented(profile)
    assert len(profile.source) > 40
    assert not {"FIDO_2_2"} & set(profile.versions)
    capabilities = InProcessTransport(CtapHid(_key(name))).open_device().capabilities
    assert bool(capabilities & CAPABILITY.NMSG) is (U2F_V2 not in profile.versions)
    assert bool(capabilities & CAPABILITY.CBOR) is profile.has_ctap2
    assert bool(capabilities & CAPABILITY.WINK) is profile.ctaphid.wink


def test_aaguids_tell_products_apart() -> None:
    """No two profiles share one, and those of our own keys say so in ASCII."""
    aaguids = {name: profiles.load(name).aaguid.bytes for name in profiles.names()}
    assert len(set(aaguids.values())) == len(aaguids)
    for name in (profiles.DEFAULT, "minimal-2.0", "yubikey-5.8"):
        assert aaguids[name].startswith(b"authrig-")
    assert aaguids["u2f-only"] == bytes(16)


def test_a_yubikey_takes_its_time() -> None:
    """Its first keepalive comes 64 ms after the request, the next ones every 100 ms."""
    profile = profiles.load("yubikey-5.8")
    key = Authenticator(Env.simulated(1), profile, user=ScriptedUser([Act(delay=0.2)]))
    hid = CtapHid(key)
    for channel, command, data in ((0xFFFFFFFF, 0x06, bytes(8)), (1, 0x10, bytes([SELECTION]))):
        report = channel.to_bytes(4) + bytes([0x80 | command]) + len(data).to_bytes(2) + data
        hid.receive(report.ljust(64, b"\0"))
    hid.take_reports()
    assert hid.next_deadline() == pytest.approx(0.064)


@pytest.mark.parametrize("changes", [{"info_members": None}, {"info_members": frozenset({1, 3})}])
def test_a_profile_may_hide_members(changes: dict[str, Any]) -> None:
    """With a list, only these are told; without, all that have content."""
    profile = msgspec.structs.replace(profiles.load("nitrokey-3"), **changes)
    told = set(call(Authenticator(Env.simulated(1), profile), GET_INFO)[1])
    assert (told == {1, 3}) is (changes["info_members"] is not None)
    assert {1, 3} <= told
