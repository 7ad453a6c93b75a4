import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from server_stub.jose import (
    LEEWAY,
    KeySet,
    TicketRefused,
    load_public_key,
    verify_signature,
    verify_ticket,
    verify_with,
)

NOW = 1_767_225_600.0
GOOD: dict[str, Any] = {"iss": "portal", "sub": "alice", "aud": "authrig", "exp": NOW + 60, "iat": NOW, "jti": "1"}
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(key: Private, claims: object, **header: object) -> str:
    """A compact JWS."""
    algorithm = "RS256"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = "ES256"
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        algorithm = "EdDSA"
    head = encode(json.dumps({"alg": algorithm, **header}).encode())
    signed = f"{head}.{encode(json.dumps(claims).encode())}"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(signed.encode())
    else:
        signature = key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return f"{signed}.{encode(signature)}"


def verify(ticket: str, now: float = NOW) -> str:
    """The subject of a ticket for us."""
    return verify_ticket(ticket, EC.public_key(), "portal", "authrig", now).subject


@pytest.mark.parametrize("claim", ["sub", "jti", "iss"])
@pytest.mark.parametrize("value", ["alice\ud800", float("nan")])
def test_what_no_database_could_hold_is_no_json(claim: str, value: object) -> None:
    """Even signed by an issuer that we trust: half of a surrogate pair is no text, and NaN is no number."""
    with pytest.raises(TicketRefused, match="no JSON"):
        verify(sign(EC, GOOD | {claim: value}))


@pytest.mark.parametrize("key", [EC, ED, RSA], ids=["ES256", "EdDSA", "RS256"])
def test_a_ticket_is_believed_with_each_algorithm(key: Private) -> None:
    """The key comes from a PEM file."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = verify_ticket(sign(key, GOOD), load_public_key(pem), "portal", "authrig", NOW)
    assert (claims.subject, claims.ticket_id) == ("alice", "1")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"iss": "evil"}, "another issuer"),
        ({"aud": "other"}, "somebody else"),
        ({"aud": None}, "somebody else"),
        ({"exp": NOW - LEEWAY}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": True}, "expired"),
        ({"exp": 1e300}, "expired"),
        ({"exp": "never"}, "expired"),
        ({"iat": NOW + LEEWAY + 1}, "future"),
        ({"nbf": NOW + LEEWAY + 1}, "future"),
        ({"sub": ""}, "names nobody"),
        ({"sub": ["alice"]}, "names nobody"),
    ],
)
def test_a_ticket_that_is_wrong_in_one_claim_is_refused(change: dict[str, Any], sentence: str) -> None:
    """Each with its sentence."""
    assert verify(sign(EC, GOOD)) == "alice"
    with pytest.raises(TicketRefused, match=sentence):
        verify(sign(EC, GOOD | change))


def test_the_algorithm_follows_from_the_key() -> None:
    """None, a MAC with the public key, another algorithm of the same family: all are refused."""
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "ES384"}, {"alg": "RS256"}, {"crit": ["exp"]}):
        with pytest.raises(TicketRefused, match="is not signed with ES256"):
            verify(sign(EC, GOOD, **header))
    with pytest.raises(TicketRefused, match="is not signed with ES256"):
        verify(sign(RSA, GOOD))
    with pytest.raises(TicketRefused, match="signature is wrong"):
        verify(sign(ec.generate_private_key(ec.SECP256R1()), GOOD))


def test_each_flipped_bit_is_refused() -> None:
    """In whichever part it is."""
    ticket = sign(EC, GOOD)
    for position in range(len(ticket)):
        changed = ticket[:position] + ("A" if ticket[position] != "A" else "B") + ticket[position + 1 :]
        with pytest.raises(TicketRefused):
            verify(changed)


@given(
    st.one_of(st.text(max_size=200), st.builds(lambda a, b: f"{a}.{b}.", st.text(max_size=40), st.text(max_size=40)))
)
def test_anything_else_is_refused(ticket: str) -> None:
    """Never another error."""
    with pytest.raises(TicketRefused):
        verify_signature(ticket, EC.public_key())


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed448.Ed448PrivateKey.generate()], ids=["P-384", "Ed448"]
)
def test_a_key_that_is_not_meant_is_refused_when_it_is_read(
    key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey,
) -> None:
    """And so is what is no key."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (pem, b"no key"):
        with pytest.raises(ValueError, match=r"\w"):
            load_public_key(data)


def jwk(key: Private) -> dict[str, str]:
    """The public half as JSON, as an issuer publishes it."""

    def number(value: int) -> str:
        return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))

    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(public.public_bytes_raw())}
    if isinstance(public, rsa.RSAPublicKey):
        return {"kty": "RSA", "n": number(public.public_numbers().n), "e": number(public.public_numbers().e)}
    numbers = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32)), "y": encode(numbers.y.to_bytes(32))}


def test_a_key_set_is_read_and_the_key_found_that_a_ticket_names() -> None:
    """By its name; without one, whichever fits. Keys that we do not know are left out, and so are those for encryption."""
    ours = [jwk(EC) | {"kid": "a"}, jwk(ED) | {"kid": "b", "use": "sig"}, jwk(RSA)]
    unknown = [{"kty": "oct", "k": "AA"}, jwk(EC) | {"use": "enc"}, {"kty": "EC", "crv": "P-521"}, {}, 7]
    keys = KeySet.of({"keys": [*unknown, *ours]})
    assert len(keys.keys) == 3
    for key, header in ((EC, {"kid": "a"}), (ED, {"kid": "b"}), (RSA, {}), (EC, {})):
        assert verify_with(sign(key, GOOD, **header), keys, "portal", "authrig", NOW).subject == "alice"
    for key, header in ((EC, {"kid": "b"}), (ED, {"kid": "c"}), (RSA, {"kid": "a"})):
        with pytest.raises(TicketRefused):
            verify_with(sign(key, GOOD, **header), keys, "portal", "authrig", NOW)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda each: (
            st.lists(each) | st.dictionaries(st.sampled_from(["keys", "kty", "crv", "x", "y", "n", "e", "kid"]), each)
        ),
    )
)
def test_whatever_an_issuer_publishes_is_a_key_set(document: Any) -> None:
    """Perhaps an empty one; off the curve, too small and nonsense are no keys."""
    rows = document if isinstance(document, list) else [document]
    assert KeySet.of({"keys": rows}).keys == ()
    small = rsa.RSAPublicNumbers(65537, 2**1023 + 1)
    bad = [{"kty": "RSA", "n": encode(small.n.to_bytes(128)), "e": "AQAB"}, jwk(EC) | {"y": encode(bytes(32))}]
    assert KeySet.of({"keys": bad}).keys == ()
