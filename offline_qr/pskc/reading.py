"""PSKC to keys (RFC 6030), strictly: what is not understood is refused, where skipping it could weaken a check."""

import base64
import binascii
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any, TypeVar

from offline_qr.pskc import crypto
from offline_qr.pskc.errors import PskcError
from offline_qr.pskc.keys import PskcKey
from offline_qr.pskc.names import CIPHERS, MACS, PBKDF2, PREFIXES, PRFS, PSKC

MAX_BYTES = 16 * 2**20
_Value = TypeVar("_Value")
_NUMBER = re.compile(r"[0-9]{1,19}")


def read(data: bytes, *, key: bytes | None = None, password: str | None = None) -> list[PskcKey]:
    """The keys of a PSKC file.

    Args:
        data: the file, up to 16 MiB.
        key: the pre-shared key, for a file that is encrypted under one.
        password: the password, for a file that is encrypted under one.

    Raises:
        PskcError: the file is malformed, too long, uses something that this reader does not know (signatures, key wrap,
            X.509), or is encrypted in another way than with what was given.
        WrongPskcKeyError: the key or password is another one, or the file was changed.
    """
    root = _parse(data)
    if root.tag != f"{{{PSKC}}}KeyContainer" or root.get("Version") != "1.0":
        raise PskcError(f"this is no PSKC: expected a KeyContainer of version 1.0, found {root.tag[:80]!r}")
    if (signature := root.find("ds:Signature", PREFIXES)) is not None:
        raise PskcError(f"signed containers are not supported, found {signature.tag!r}")
    secrecy = _read_secrecy(root, key, password)
    packages = root.findall("pskc:KeyPackage", PREFIXES)
    return [_read_key(package, secrecy) for package in packages if package.find("pskc:Key", PREFIXES) is not None]


class _NoDocumentType(ET.TreeBuilder):
    """Entities could make a small file huge, or read others; a document type is where they would be declared."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called where a document type begins."""
        del pubid, system
        raise PskcError(f"a PSKC has no document type, found {name[:80]!r}")


@dataclass(frozen=True, slots=True)
class _Secrecy:
    """How the values of this file are protected."""

    key: bytes | None = field(repr=False)
    mac: str | None
    mac_key: bytes | None = field(repr=False)


def _parse(data: bytes) -> ET.Element:
    if len(data) > MAX_BYTES:
        raise PskcError(f"the file is too long: expected up to {MAX_BYTES} bytes, found {len(data)}")
    parser = ET.XMLParser(target=_NoDocumentType())  # noqa: S314 - as the import
    try:
        parser.feed(data)
        return _element(parser.close())
    except (ET.ParseError, LookupError, ValueError) as error:
        if isinstance(error, PskcError):
            raise
        raise PskcError(f"the file is no XML: {error}") from None


def _element(closed: Any) -> ET.Element:
    if not isinstance(closed, ET.Element):
        raise PskcError("the file has no elements")
    return closed


def _read_secrecy(root: ET.Element, key: bytes | None, password: str | None) -> _Secrecy:
    encryption = root.find("pskc:EncryptionKey", PREFIXES)
    if encryption is None:
        return _Secrecy(None, None, None)
    derivation = encryption.find("xenc11:DerivedKey/xenc11:KeyDerivationMethod", PREFIXES)
    if derivation is not None:
        if password is None:
            raise PskcError("the file is encrypted under a password: expected one, found none")
        content_key = _derive(derivation, password)
    else:
        if encryption.find("ds:KeyName", PREFIXES) is None:
            raise PskcError("the file is encrypted neither under a pre-shared key nor under a password")
        if key is None:
            raise PskcError("the file is encrypted under a pre-shared key: expected one, found none")
        content_key = key
    method = root.find("pskc:MACMethod", PREFIXES)
    if method is None:
        return _Secrecy(content_key, None, None)
    name = _known(method, "MACMethod", MACS)
    # §6.1.1: without a MAC key, the encryption key serves for both
    element = method.find("pskc:MACKey", PREFIXES)
    mac_key = content_key if element is None else crypto.decrypt(content_key, _cipher_value(element, content_key))
    return _Secrecy(content_key, name, mac_key)


def _derive(method: ET.Element, password: str) -> bytes:
    if method.get("Algorithm") != PBKDF2:
        raise PskcError(f"unknown key derivation: expected {PBKDF2}, found {method.get('Algorithm', '')[:80]!r}")
    # RFC 6030 Figure 7 leaves the children of the parameters without a namespace; other writers give them PKCS5's.
    values = {child.tag.rpartition("}")[2]: child for child in method.iter()}
    try:
        salt, count, length = values["Specified"], values["IterationCount"], values["KeyLength"]
    except KeyError as missing:
        raise PskcError(f"the key derivation lacks {missing.args[0]}") from None
    prf = values.get("PRF")
    name = "sha1" if prf is None or prf.get("Algorithm") is None else _known(prf, "PRF", PRFS)
    size = _number(length, "KeyLength")
    if size not in CIPHERS.values():
        raise PskcError(f"KeyLength is one of {sorted(CIPHERS.values())}, found {size}")
    return crypto.derive(password, _base64(salt), _number(count, "IterationCount"), size, name)


def _read_key(package: ET.Element, secrecy: _Secrecy) -> PskcKey:
    key = package.find("pskc:Key", PREFIXES)
    assert key is not None
    secret = _value(key, "Secret", secrecy)
    if not secret:
        raise PskcError(f"the key {key.get('Id', '')[:80]!r} has no secret")
    parameters = key.find("pskc:AlgorithmParameters", PREFIXES)
    form = None if parameters is None else parameters.find("pskc:ResponseFormat", PREFIXES)
    length = None if form is None else form.get("Length")
    return PskcKey(
        id=key.get("Id", ""),
        secret=secret,
        algorithm=key.get("Algorithm", ""),
        serial=_text(package, "pskc:DeviceInfo/pskc:SerialNo"),
        manufacturer=_text(package, "pskc:DeviceInfo/pskc:Manufacturer"),
        issuer=_text(key, "pskc:Issuer"),
        suite=_text(key, "pskc:AlgorithmParameters/pskc:Suite"),
        digits=None if length is None else _parse_number(length, "ResponseFormat Length"),
        counter=_read_number(key, "Counter", secrecy),
        time_interval=_read_number(key, "TimeInterval", secrecy),
    )


def _value(key: ET.Element, name: str, secrecy: _Secrecy) -> bytes | None:
    """The bytes of one element of Data: plain in base64, or encrypted and authenticated."""
    element = key.find(f"pskc:Data/pskc:{name}", PREFIXES)
    if element is None:
        return None
    plain, sealed = element.find("pskc:PlainValue", PREFIXES), element.find("pskc:EncryptedValue", PREFIXES)
    if (plain is None) == (sealed is None):
        raise PskcError(f"{name} has either a plain or an encrypted value, found both or neither")
    if plain is not None:
        return _base64(plain)
    assert sealed is not None
    if secrecy.key is None or secrecy.mac is None or secrecy.mac_key is None:
        raise PskcError(f"{name} is encrypted, but the file has no EncryptionKey or no MACMethod")
    mac = element.find("pskc:ValueMAC", PREFIXES)
    if mac is None:
        raise PskcError(f"{name} is encrypted without a ValueMAC: anyone could have changed it")
    data = _cipher_value(sealed, secrecy.key)
    crypto.check_mac(secrecy.mac, secrecy.mac_key, data, _base64(mac))
    return crypto.decrypt(secrecy.key, data)


def _read_number(key: ET.Element, name: str, secrecy: _Secrecy) -> int | None:
    plain = key.find(f"pskc:Data/pskc:{name}/pskc:PlainValue", PREFIXES)
    if plain is not None:
        return _number(plain, name)  # §4.2: a plain number is written in decimal, not in base64
    data = _value(key, name, secrecy)
    return None if data is None else int.from_bytes(data)


def _cipher_value(element: ET.Element, key: bytes) -> bytes:
    method = element.find("xenc:EncryptionMethod", PREFIXES)
    if method is None:
        raise PskcError("an encrypted value lacks its EncryptionMethod")
    size = _known(method, "EncryptionMethod", CIPHERS)
    if len(key) != size:
        raise PskcError(f"{method.get('Algorithm')} needs a key of {size} bytes, found {len(key)}")
    value = element.find("xenc:CipherData/xenc:CipherValue", PREFIXES)
    if value is None:
        raise PskcError("an encrypted value lacks its CipherValue")
    return _base64(value)


def _known(element: ET.Element, name: str, table: dict[str, _Value]) -> _Value:
    algorithm = element.get("Algorithm", "")
    if algorithm not in table:
        raise PskcError(f"unknown algorithm of {name}: expected one of {sorted(table)}, found {algorithm[:80]!r}")
    return table[algorithm]


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path, "", PREFIXES) or "").strip()


def _number(element: ET.Element, name: str) -> int:
    return _parse_number((element.text or "").strip(), name)


def _parse_number(text: str, name: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise PskcError(f"{name} is a decimal number of up to 19 digits, found {text[:80]!r}")
    return int(text)


def _base64(element: ET.Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise PskcError(f"{element.tag.rpartition('}')[2]} is no base64") from None
