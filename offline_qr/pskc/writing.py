"""Keys to PSKC (RFC 6030): in plain text, or encrypted under a pre-shared key or a password."""

import base64
import hmac
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable

from offline_qr.pskc import crypto
from offline_qr.pskc.errors import PskcError
from offline_qr.pskc.keys import PskcKey
from offline_qr.pskc.names import CIPHERS, DS, PBKDF2, PKCS5, PREFIXES, PRFS, PSKC, XENC, XENC11

_MAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
_MAC_KEY_BYTES = 32
_SALT_BYTES = 16
_DERIVED_KEY_BYTES = 32
ITERATIONS = 600_000
"""Of PBKDF2 with HMAC-SHA-256 for a password: about a third of a second."""


def write(
    keys: Iterable[PskcKey],
    *,
    key: bytes | None = None,
    password: str | None = None,
    draw: Callable[[int], bytes] | None = None,
) -> bytes:
    """A PSKC file with ``keys``.

    Args:
        keys: what to write.
        key: a pre-shared key of 16, 24 or 32 bytes: secrets are encrypted with AES-CBC and authenticated with
            HMAC-SHA-256 under a MAC key of their own.
        password: the same under a key of 32 bytes that PBKDF2 makes of this password. Without key and password the
            secrets are written in plain text.
        draw: a source of random bytes, which encryption needs: ``draw(16)`` gives 16 of them.

    Raises:
        PskcError: the pre-shared key has another length, there is a password too, or no source of random bytes.
    """
    root = ET.Element(f"{{{PSKC}}}KeyContainer", Version="1.0")
    seal = _plain if key is None and password is None else _prepare(root, key, password, draw)
    for each in keys:
        _write_key(ET.SubElement(root, f"{{{PSKC}}}KeyPackage"), each, seal)
    for prefix, namespace in PREFIXES.items():
        ET.register_namespace(prefix, namespace)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


_Seal = Callable[[ET.Element, bytes], None]


def _plain(element: ET.Element, value: bytes) -> None:
    _add(element, PSKC, "PlainValue", _base64(value))


def _prepare(root: ET.Element, key: bytes | None, password: str | None, draw: Callable[[int], bytes] | None) -> _Seal:
    ciphers = {size: name for name, size in CIPHERS.items()}
    if draw is None:
        raise PskcError("encryption needs a source of random bytes: expected one, found none")
    source = draw
    encryption = ET.SubElement(root, f"{{{PSKC}}}EncryptionKey")
    if key is None:
        assert password is not None
        key = _derive(encryption, password, source(_SALT_BYTES))
    elif password is None:
        _add(encryption, DS, "KeyName", "Pre-shared key")
    else:
        raise PskcError("a file is encrypted under a key or a password, found both")
    if len(key) not in ciphers:
        raise PskcError(f"a pre-shared key has {sorted(ciphers)} bytes, found {len(key)}")
    content_key, cipher, mac_key = key, ciphers[len(key)], source(_MAC_KEY_BYTES)
    method = ET.SubElement(root, f"{{{PSKC}}}MACMethod", Algorithm=_MAC)

    def put(element: ET.Element, sealed: bytes) -> None:
        ET.SubElement(element, f"{{{XENC}}}EncryptionMethod", Algorithm=cipher)
        _add(ET.SubElement(element, f"{{{XENC}}}CipherData"), XENC, "CipherValue", _base64(sealed))

    def seal(element: ET.Element, value: bytes) -> None:
        sealed = crypto.encrypt(content_key, source(crypto.BLOCK_BYTES), value)
        put(ET.SubElement(element, f"{{{PSKC}}}EncryptedValue"), sealed)
        _add(element, PSKC, "ValueMAC", _base64(hmac.digest(mac_key, sealed, "sha256")))

    put(ET.SubElement(method, f"{{{PSKC}}}MACKey"), crypto.encrypt(content_key, source(crypto.BLOCK_BYTES), mac_key))
    return seal


def _derive(encryption: ET.Element, password: str, salt: bytes) -> bytes:
    derived = ET.SubElement(encryption, f"{{{XENC11}}}DerivedKey")
    method = ET.SubElement(derived, f"{{{XENC11}}}KeyDerivationMethod", Algorithm=PBKDF2)
    parameters = ET.SubElement(method, f"{{{PKCS5}}}PBKDF2-params")
    # As in RFC 6030 Figure 7, the parameters themselves are in no namespace.
    ET.SubElement(ET.SubElement(parameters, "Salt"), "Specified").text = _base64(salt)
    ET.SubElement(parameters, "IterationCount").text = str(ITERATIONS)
    ET.SubElement(parameters, "KeyLength").text = str(_DERIVED_KEY_BYTES)
    ET.SubElement(parameters, "PRF", Algorithm=next(name for name, hash_name in PRFS.items() if hash_name == "sha256"))
    return crypto.derive(password, salt, ITERATIONS, _DERIVED_KEY_BYTES, "sha256")


def _write_key(package: ET.Element, key: PskcKey, seal: _Seal) -> None:
    if key.serial or key.manufacturer:
        device = ET.SubElement(package, f"{{{PSKC}}}DeviceInfo")
        _add(device, PSKC, "Manufacturer", key.manufacturer)
        _add(device, PSKC, "SerialNo", key.serial)
    element = ET.SubElement(package, f"{{{PSKC}}}Key", Id=key.id, Algorithm=key.algorithm)
    _add(element, PSKC, "Issuer", key.issuer)
    if key.suite or key.digits is not None:
        parameters = ET.SubElement(element, f"{{{PSKC}}}AlgorithmParameters")
        _add(parameters, PSKC, "Suite", key.suite)
        if key.digits is not None:
            ET.SubElement(parameters, f"{{{PSKC}}}ResponseFormat", Length=str(key.digits), Encoding="DECIMAL")
    data = ET.SubElement(element, f"{{{PSKC}}}Data")
    seal(ET.SubElement(data, f"{{{PSKC}}}Secret"), key.secret)
    for name, number in (("Counter", key.counter), ("TimeInterval", key.time_interval)):
        if number is not None:
            _add(ET.SubElement(data, f"{{{PSKC}}}{name}"), PSKC, "PlainValue", str(number))


def _add(parent: ET.Element, namespace: str, name: str, text: str) -> None:
    if text:
        ET.SubElement(parent, f"{{{namespace}}}{name}").text = text


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
