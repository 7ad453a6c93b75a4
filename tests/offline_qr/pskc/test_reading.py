import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_qr.pskc import PskcError, PskcKey, WrongPskcKeyError, read

SECRET = b"12345678901234567890"
PRE_SHARED_KEY = bytes.fromhex("12345678901234567890123456789012")
AES = '<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
NAMESPACES = (
    'xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
    'xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" '
    'xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"'
)
PLAIN_SECRET = f"<Secret><PlainValue>{base64.b64encode(SECRET).decode()}</PlainValue></Secret>"


def container(head: str, secret: str, counter: str = "<Counter><PlainValue>0</PlainValue></Counter>") -> str:
    """A file with one key, laid out as the figures of the RFC."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" {NAMESPACES}>{head}
  <KeyPackage>
    <DeviceInfo><Manufacturer>Manufacturer</Manufacturer><SerialNo>987654321</SerialNo></DeviceInfo>
    <CryptoModuleInfo><Id>CM_ID_001</Id></CryptoModuleInfo>
    <Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
      <Issuer>Issuer</Issuer>
      <AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>{secret}{counter}</Data>
    </Key>
  </KeyPackage>
</KeyContainer>"""


def mac_method(value: str) -> str:
    """The MAC key, encrypted."""
    return (
        '<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><MACKey>'
        f"{AES}<xenc:CipherData><xenc:CipherValue>\n  {value}\n</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>"
    )


def sealed(value: str, mac: str) -> str:
    """An encrypted secret."""
    return (
        f"<Secret><EncryptedValue>{AES}<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>"
        f"</EncryptedValue><ValueMAC>{mac}\n</ValueMAC></Secret>"
    )


FIGURE_6 = container(
    "<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>"
    + mac_method("ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX"),
    sealed("AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv", "Su+NvtQfmvfJzF6bmQiJqoLRExc="),
)
FIGURE_7 = container(
    "<EncryptionKey><xenc11:DerivedKey><xenc11:KeyDerivationMethod "
    'Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2"><pkcs5:PBKDF2-params>'
    '<Salt xmlns=""><Specified>Ej7/PEpyEpw=</Specified></Salt><IterationCount xmlns="">1000</IterationCount>'
    '<KeyLength xmlns="">16</KeyLength><PRF xmlns=""/></pkcs5:PBKDF2-params></xenc11:KeyDerivationMethod>'
    "<xenc11:MasterKeyName>My Password 1</xenc11:MasterKeyName></xenc11:DerivedKey></EncryptionKey>"
    + mac_method("2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx"),
    sealed("oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f", "LP6xMvjtypbfT9PdkJhBZ+D6O4w="),
    "",
)
KEY = PskcKey(
    id="12345678",
    secret=SECRET,
    algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp",
    serial="987654321",
    manufacturer="Manufacturer",
    issuer="Issuer",
    digits=8,
    counter=0,
)


def test_the_values_of_the_rfcs_figure_6() -> None:
    """AES-128-CBC under a pre-shared key, HMAC-SHA-1 under a key of its own."""
    assert read(FIGURE_6.encode(), key=PRE_SHARED_KEY) == [KEY]


def test_the_values_of_the_rfcs_figure_7() -> None:
    """PBKDF2 of the password ``qwerty``, 1000 times."""
    (key,) = read(FIGURE_7.encode(), password="qwerty")
    assert (key.secret, key.counter) == (SECRET, None)


def test_a_plain_file() -> None:
    """As the RFC's figures 2 and 5: nothing is needed to read it."""
    assert read(container("", PLAIN_SECRET).encode()) == [KEY]
    assert read(b'<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"/>') == []


def test_another_key_or_password_is_told() -> None:
    """By the MAC, or by the padding of the MAC key."""
    with pytest.raises(WrongPskcKeyError):
        read(FIGURE_6.encode(), key=bytes(16))
    with pytest.raises(WrongPskcKeyError):
        read(FIGURE_7.encode(), password="qwertz")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AAECAwQFBgcI", "AQECAwQFBgcI"),
        ("8jwZqIUqGv", "8jwZqIUqGu"),
        ("Su+NvtQf", "Tu+NvtQf"),
        ("ESIzRFVm", "FSIzRFVm"),
    ],
    ids=["IV", "ciphertext", "MAC", "MAC key"],
)
def test_a_changed_value_is_refused_before_it_is_decrypted(old: str, new: str) -> None:
    """Each of the values that the MAC protects, and the MAC itself."""
    with pytest.raises(WrongPskcKeyError, match="MAC"):
        read(FIGURE_6.replace(old, new).encode(), key=PRE_SHARED_KEY)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("", "no XML"),
        ("<a>", "no XML"),
        ("<a/>", "no PSKC"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "no XML"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "no document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "no document type"),
        (container("", PLAIN_SECRET).replace('Version="1.0" xmlns', 'Version="2.0" xmlns'), "no PSKC"),
        (container("<ds:Signature/>", PLAIN_SECRET), "signed containers are not supported"),
        (container("", ""), "'12345678' has no secret"),
        (container("", "<Secret/>"), "either a plain or an encrypted value"),
        (container("", "<Secret><PlainValue>!</PlainValue></Secret>"), "PlainValue is no base64"),
        (container("", "<Secret><PlainValue>Ä</PlainValue></Secret>"), "PlainValue is no base64"),
        (container("", "<Secret><PlainValue/></Secret>"), "has no secret"),
        (container("", PLAIN_SECRET, "<Counter><PlainValue>-1</PlainValue></Counter>"), "Counter is a decimal number"),
        (container("", PLAIN_SECRET).replace('Length="8"', 'Length="x"'), "ResponseFormat Length is a decimal"),
        (container("", sealed("AAAA", "AAAA")), "no EncryptionKey"),
        (FIGURE_6.replace("<ds:KeyName>Pre-shared-key</ds:KeyName>", "<ds:X509Data/>"), "neither under a pre-shared"),
        (FIGURE_6.replace("hmac-sha1", "hmac-md5"), "unknown algorithm of MACMethod"),
        (FIGURE_6.replace("aes128-cbc", "kw-aes128"), "unknown algorithm of EncryptionMethod"),
        (FIGURE_6.replace("aes128-cbc", "aes256-cbc"), "needs a key of 32 bytes, found 16"),
        (FIGURE_6.replace(AES, ""), "lacks its EncryptionMethod"),
        (FIGURE_6.replace("xenc:CipherValue", "xenc:Other"), "lacks its CipherValue"),
        (FIGURE_6.replace("ValueMAC", "Other"), "without a ValueMAC"),
        (FIGURE_6.replace("MACMethod", "Other"), "no MACMethod"),
        (FIGURE_6.replace("ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX", "ESIz"), "2 blocks"),
        (FIGURE_7.replace("1000</", "99999999</"), "1 to 10000000, found 99999999"),
        (FIGURE_7.replace("16</", "17</"), "KeyLength is one of"),
        (FIGURE_7.replace("IterationCount", "Other"), "lacks IterationCount"),
        (FIGURE_7.replace("#pbkdf2", "#scrypt"), "unknown key derivation"),
        (FIGURE_7.replace("<PRF ", '<PRF Algorithm="x" '), "unknown algorithm of PRF"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(file: str, sentence: str) -> None:
    """The element, what was expected and what was found."""
    with pytest.raises(PskcError, match=sentence):
        read(file.encode(), key=PRE_SHARED_KEY, password="qwerty")


def test_the_key_that_is_missing_is_asked_for() -> None:
    """By its kind."""
    with pytest.raises(PskcError, match="under a pre-shared key: expected one"):
        read(FIGURE_6.encode(), password="qwerty")
    with pytest.raises(PskcError, match="under a password: expected one"):
        read(FIGURE_7.encode(), key=PRE_SHARED_KEY)


def test_a_huge_file_is_not_even_parsed() -> None:
    """16 MiB is a million tokens."""
    with pytest.raises(PskcError, match="too long"):
        read(bytes(16 * 2**20 + 1))


def test_no_secret_is_printed() -> None:
    """Of a key."""
    assert "1234567890123" not in repr(KEY)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    """Any few bytes anywhere; and no other secret comes out of an encrypted one."""
    file = bytearray(FIGURE_6.encode())
    at = data.draw(st.integers(0, len(file)))
    file[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        keys = read(bytes(file), key=PRE_SHARED_KEY)
    except PskcError:
        return
    assert all(key.secret == SECRET for key in keys)
