"""Keys to PSKC (RFC 6030): in plain text, or encrypted under a pre-shared key of 16, 24 or 32 bytes."""

import base64
import hmac
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable

from offline_qr.pskc import crypto
from offline_qr.pskc.errors import PskcError
from offline_qr.pskc.keys import PskcKey
from offline_qr.pskc.names import CIPHERS, DS, PREFIXES, PSKC, XENC

_MAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
_MAC_KEY_BYTES = 32


def write(
    keys: Iterable[PskcKey],
    *,
    key: bytes | None = None,
    key_name: str = "Pre-shared key",
    draw: Callable[[int], bytes] | None = None,
) -> bytes:
    """A PSKC file with ``keys``.

    Args:
        keys: what to write.
        key: a pre-shared key of 16, 24 or 32 bytes: secrets are encrypted with AES-CBC and authenticated with
            HMAC-SHA-256 under a MAC key of their own. None writes them in plain text.
        key_name: what the file calls the pre-shared key.
        draw: a source of random bytes, which encryption needs: ``draw(16)`` gives 16 of them.

    Raises:
        PskcError: the pre-shared key has another length, or there is no source of random bytes for it.
    """
    root = ET.Element(f"{{{PSKC}}}KeyContainer", Version="1.0")
    seal = _plain if key is None else _prepare(root, key, key_name, draw)
    for each in keys:
        _write_key(ET.SubElement(root, f"{{{PSKC}}}KeyPackage"), each, seal)
    for prefix, namespace in PREFIXES.items():
        ET.register_namespace(prefix, namespace)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


_Seal = Callable[[ET.Element, bytes], None]


def _plain(element: ET.Element, value: bytes) -> None:
    _add(element, PSKC, "PlainValue", _base64(value))


def _prepare(root: ET.Element, key: bytes, key_name: str, draw: Callable[[int], bytes] | None) -> _Seal:
    ciphers = {size: name for name, size in CIPHERS.items()}
    if len(key) not in ciphers:
        raise PskcError(f"a pre-shared key has {sorted(ciphers)} bytes, found {len(key)}")
    if draw is None:
        raise PskcError("encryption needs a source of random bytes: expected one, found none")
    source = draw
    mac_key = source(_MAC_KEY_BYTES)
    _add(ET.SubElement(root, f"{{{PSKC}}}EncryptionKey"), DS, "KeyName", key_name)
    method = ET.SubElement(root, f"{{{PSKC}}}MACMethod", Algorithm=_MAC)

    def put(element: ET.Element, sealed: bytes) -> None:
        ET.SubElement(element, f"{{{XENC}}}EncryptionMethod", Algorithm=ciphers[len(key)])
        _add(ET.SubElement(element, f"{{{XENC}}}CipherData"), XENC, "CipherValue", _base64(sealed))

    def seal(element: ET.Element, value: bytes) -> None:
        sealed = crypto.encrypt(key, source(crypto.BLOCK_BYTES), value)
        put(ET.SubElement(element, f"{{{PSKC}}}EncryptedValue"), sealed)
        _add(element, PSKC, "ValueMAC", _base64(hmac.digest(mac_key, sealed, "sha256")))

    put(ET.SubElement(method, f"{{{PSKC}}}MACKey"), crypto.encrypt(key, source(crypto.BLOCK_BYTES), mac_key))
    return seal


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
