"""HOTP's dynamic truncation, from which most codes are made (RFC 4226 §5.3)."""


def truncate(digest: bytes, digits: int) -> str:
    """The decimal code of ``digits`` digits in an HMAC of 20 bytes or more, of whatever hash."""
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"
