import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from server_stub.errors import ServerError
from server_stub.factors.attestation import load_policy
from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.api.test_fido import creation_options, logged_in, register
from tests.server_stub.soft_key import Attester, SoftKey
from tests.server_stub.world import World, code_of, own_world

MODEL = bytes(range(16))
OTHER_MODEL = bytes(16)


@pytest.fixture(scope="module")
def maker() -> Attester:
    """A maker of keys whom we believe."""
    return Attester(MODEL)


def trusting(settings: Settings, folder: Path, maker: Attester) -> Settings:
    """Settings that believe ``maker``."""
    path = folder / "roots.pem"
    path.write_bytes(Attester().root_pem + maker.root_pem)
    return replace(settings, fido_attestation="trusted", fido_attestation_roots=(path,))


def outcome(world: World, attester: Attester | None) -> str:
    """What becomes of a registration with a key of that maker."""
    browser = logged_in(world, world.person())
    options = creation_options(browser)
    response = register(browser, SoftKey(world.server.origin, attester=attester).create(options))
    return "registered" if response.status_code == 200 else code_of(response)


def test_by_default_any_key_is_welcome(world: World, maker: Attester) -> None:
    """Attestation is not even asked for, and not looked at when it comes."""
    assert creation_options(logged_in(world, world.person()))["attestation"] == "none"
    assert [outcome(world, each) for each in (None, maker, Attester())] == ["registered"] * 3


def test_only_keys_of_a_maker_that_is_believed(settings: Settings, tmp_path: Path, maker: Attester) -> None:
    """Nobody's, a stranger's, one whose certificate is over, one that vouches for another model: all are refused."""
    liar = Attester(MODEL)
    liar.aaguid = OTHER_MODEL
    expired = Attester(MODEL, valid_days=-1)
    believed = trusting(settings, tmp_path, maker)
    more = tmp_path / "more.pem"
    more.write_bytes(liar.root_pem + expired.root_pem)
    believed = replace(believed, fido_attestation_roots=(*believed.fido_attestation_roots, more))
    with own_world(believed) as world:
        assert creation_options(logged_in(world, world.person()))["attestation"] == "direct"
        assert outcome(world, maker) == "registered"
        for stranger in (None, Attester(MODEL), liar, expired):
            assert outcome(world, stranger) == "FIDO_REGISTRATION_WRONG"


@pytest.mark.parametrize(("aaguid", "expected"), [(MODEL, "registered"), (OTHER_MODEL, "FIDO_REGISTRATION_WRONG")])
def test_only_models_on_the_list(settings: Settings, maker: Attester, aaguid: bytes, expected: str) -> None:
    """Others are refused, also when their maker is believed."""
    with own_world(settings, fido_aaguids=(aaguid.hex(),)) as world:
        assert outcome(world, maker) == expected


def metadata(folder: Path, maker: Attester, signer: Attester, status: str = "FIDO_CERTIFIED") -> Path:
    """An MDS3 file that lists ``maker``, signed under ``signer``'s root."""

    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    root = base64.b64encode(maker.root.public_bytes(Encoding.DER)).decode()
    statement = {
        "description": "Test Key",
        "authenticatorVersion": 1,
        "schema": 3,
        "upv": [],
        "attestationTypes": ["basic_full"],
        "userVerificationDetails": [],
        "keyProtection": ["hardware"],
        "matcherProtection": ["on_chip"],
        "attachmentHint": ["external"],
        "tcDisplay": [],
        "attestationRootCertificates": [root],
        "protocolFamily": "fido2",
        "authenticationAlgorithms": ["secp256r1_ecdsa_sha256_raw"],
        "publicKeyAlgAndEncodings": ["cose"],
    }
    entry = {
        "aaguid": f"{MODEL.hex()[:8]}-{MODEL.hex()[8:12]}-{MODEL.hex()[12:16]}-{MODEL.hex()[16:20]}-{MODEL.hex()[20:]}",
        "metadataStatement": statement,
        "statusReports": [{"status": status, "effectiveDate": "2020-01-01"}],
        "timeOfLastStatusChange": "2020-01-01",
    }
    blob = {"legalHeader": "test", "no": 1, "nextUpdate": "2030-01-01", "entries": [entry]}
    header = {"alg": "ES256", "x5c": [base64.b64encode(signer.root.public_bytes(Encoding.DER)).decode()]}
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(blob).encode())}"
    signature = signer.root_key.sign(signed.encode(), ec.ECDSA(SHA256()))
    path = folder / "metadata.jwt"
    path.write_text(f"{signed}.{encode(signature)}")
    return path


@pytest.mark.parametrize(
    ("status", "expected"), [("FIDO_CERTIFIED", "registered"), ("REVOKED", "FIDO_REGISTRATION_WRONG")]
)
def test_roots_from_fido_metadata(
    settings: Settings,
    tmp_path: Path,
    maker: Attester,
    status: str,
    expected: str,
) -> None:
    """A model that the metadata lists is believed; one that was revoked is not."""
    alliance = Attester()
    root = tmp_path / "alliance.pem"
    root.write_bytes(alliance.root_pem)
    files = ((metadata(tmp_path, maker, alliance, status), root),)
    with own_world(settings, fido_attestation="trusted", fido_metadata=files) as world:
        assert outcome(world, maker) == expected
        assert outcome(world, Attester(OTHER_MODEL)) == "FIDO_REGISTRATION_WRONG"


def test_metadata_that_somebody_else_signed_is_one_sentence(
    settings: Settings, tmp_path: Path, maker: Attester
) -> None:
    """It is not believed, and the server does not start."""
    root = tmp_path / "alliance.pem"
    root.write_bytes(Attester().root_pem)
    files = ((metadata(tmp_path, maker, Attester()), root),)
    with pytest.raises(ServerError, match="is not signed under"):
        load_policy(replace(settings, fido_attestation="trusted", fido_metadata=files))


def test_settings_that_cannot_be_meant_are_one_sentence(settings: Settings, tmp_path: Path) -> None:
    """Roots that nobody looks at, trust without roots, files that are missing or something else, a model that is none."""
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    trusted = replace(settings, fido_attestation="trusted")
    for wrong, sentence in (
        (replace(settings, fido_attestation_roots=(junk,)), "nobody would look at them"),
        (trusted, "no root is set"),
        (replace(trusted, fido_attestation_roots=(tmp_path / "none.pem",)), "cannot read the FIDO roots"),
        (replace(trusted, fido_attestation_roots=(junk,)), "are no PEM certificates"),
        (replace(settings, fido_aaguids=("x",)), "fido_aaguids"),
    ):
        with pytest.raises(ServerError, match=sentence), run_server(wrong):
            pytest.fail("it started")
