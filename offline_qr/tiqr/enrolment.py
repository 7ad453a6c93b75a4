"""Enrolment: the link in the QR code, and the metadata behind it.

``tiqrenroll://`` and the metadata's URL as it is, or the same as a link that a phone opens: a path that ends with
``/tiqrenroll/`` and the URL in its parameter ``metadata``. The token fetches the metadata once, makes a secret, locks it
with the user's PIN, and posts it to the ``enrollment_url``.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import msgspec

from offline_qr.shown import find_hidden
from offline_qr.tiqr.authentication import DEFAULT_SUITE, MAX_TEXT, decode, parse_response_suite, query
from offline_qr.tiqr.errors import Damaged, NotOurs

ENROLMENT_PREFIX = "tiqrenroll://"
MAX_METADATA_BYTES = 64 * 1024
_LINK = re.compile(r"https://[^/?#]+(?:/[^?#]*)?/tiqrenroll/?\?[^#]*")


@dataclass(frozen=True, slots=True)
class EnrolmentLink:
    """Where the metadata is.

    Raises:
        Damaged: no http or https URL.
    """

    metadata_url: str
    """http or https. It holds a one-time secret; a device may insist on https."""

    def __post_init__(self) -> None:
        check_url("metadata", self.metadata_url)

    @property
    def text(self) -> str:
        """What the QR code says, in the first form."""
        return ENROLMENT_PREFIX + self.metadata_url

    def as_link(self, base: str) -> str:
        """What the QR code says as a link below ``base``, such as ``https://eduid.nl``."""
        return f"{base}/tiqrenroll/?metadata={quote(self.metadata_url, safe='')}"


def parse_enrolment(text: str | bytes) -> EnrolmentLink:
    """The link that reads ``text``.

    Raises:
        NotOurs: another code.
        Damaged: what follows is no http or https URL.
    """
    text = decode(text)
    if text.startswith(ENROLMENT_PREFIX):
        return EnrolmentLink(text.removeprefix(ENROLMENT_PREFIX))
    if _LINK.fullmatch(text[:MAX_TEXT]) and len(text) <= MAX_TEXT:
        values = query(text)
        if "metadata" not in values:
            raise Damaged(f"the link lacks its metadata: expected it, found {sorted(values)}")
        return EnrolmentLink(values["metadata"])
    raise NotOurs(f"this is another code: expected a text that starts with {ENROLMENT_PREFIX}")


class Service(msgspec.Struct, frozen=True, rename="camel"):
    """Who enrols."""

    display_name: str
    identifier: str
    """What challenges name as their server."""
    authentication_url: str
    """Where responses are posted to."""
    enrollment_url: str
    """Where the secret is posted to; it holds a one-time secret."""
    logo_url: str = ""
    info_url: str = ""
    ocra_suite: str = DEFAULT_SUITE


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """Who is enrolled."""

    identifier: str
    display_name: str


class Metadata(msgspec.Struct, frozen=True):
    """What the server says about service and user."""

    service: Service
    identity: Identity

    def pack(self) -> bytes:
        """The JSON that the server sends."""
        return msgspec.json.encode(self)


def parse_metadata(data: bytes) -> Metadata:
    """The metadata in ``data``. Members that are unknown here do no harm; those that are needed must be there.

    Raises:
        Damaged: no such JSON, a URL that is none, or a text that does not show.
        Unsupported: a suite that tiqr cannot use.
    """
    if len(data) > MAX_METADATA_BYTES:
        raise Damaged(f"metadata has up to {MAX_METADATA_BYTES} bytes, found {len(data)}")
    try:
        metadata = msgspec.json.decode(data, type=Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(f"this is no tiqr metadata: {error}") from None
    service, identity = metadata.service, metadata.identity
    for name, url in (("authentication", service.authentication_url), ("enrollment", service.enrollment_url)):
        check_url(name, url)
    for name, text in (
        ("service's name", service.display_name),
        ("service's identifier", service.identifier),
        ("user's identifier", identity.identifier),
        ("user's name", identity.display_name),
    ):
        if not 1 <= len(text) <= 255 or find_hidden(text):
            raise Damaged(f"the {name} has 1 to 255 characters that show, found others, more or none")
    parse_response_suite(service.ocra_suite)
    return metadata


def check_url(name: str, url: str) -> None:
    """Raises Damaged where ``url`` is no http or https URL with a host, of visible ASCII."""
    try:
        parts = urlsplit(url) if re.fullmatch(r"[!-~]{1,2048}", url) else None
        good = parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Damaged(f"the {name} URL is none: expected http or https and a host, found {url[:40]!r}")
