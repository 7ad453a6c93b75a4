"""Namespaces, algorithm names and element paths of PSKC (RFC 6030 §11, RFC 3275, XML Encryption)."""

PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
DS = "http://www.w3.org/2000/09/xmldsig#"
PKCS5 = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"
PREFIXES = {"pskc": PSKC, "xenc": XENC, "xenc11": XENC11, "ds": DS, "pkcs5": PKCS5}

CIPHERS = {XENC + "aes128-cbc": 16, XENC + "aes192-cbc": 24, XENC + "aes256-cbc": 32}
"""Content encryption, and the bytes of its key."""
MACS = {
    DS + "hmac-sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384": "sha384",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512": "sha512",
}
PBKDF2 = PKCS5 + "pbkdf2"
PRFS = {
    PKCS5 + "hmac-sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": "sha256",
}
"""Functions of PBKDF2. An empty PRF element means HMAC-SHA-1."""
