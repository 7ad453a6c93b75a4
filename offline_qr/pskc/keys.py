"""One key of a PSKC file."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PskcKey:
    """A token's secret, and what the file says about it (RFC 6030 §4.2, §4.3)."""

    id: str
    """The file's name for the key."""
    secret: bytes = field(repr=False)
    algorithm: str
    """A URI, such as ``urn:ietf:params:xml:ns:keyprov:pskc:hotp``."""
    serial: str = ""
    """The device's serial number, or empty."""
    manufacturer: str = ""
    issuer: str = ""
    suite: str = ""
    """An OCRA suite or a hash, as the algorithm wants, or empty."""
    digits: int | None = None
    """Length of the codes, or None."""
    counter: int | None = None
    time_interval: int | None = None
    """Seconds, or None."""
