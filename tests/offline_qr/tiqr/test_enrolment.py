import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.tiqr import (
    Damaged,
    EnrolmentLink,
    Identity,
    Metadata,
    NotOurs,
    Service,
    TiqrError,
    Unsupported,
    parse_enrolment,
    parse_metadata,
)

URL = "https://tiqr.example.org/metadata?key=0123&x=y"
METADATA: dict[str, Any] = {
    "service": {
        "displayName": "Example",
        "identifier": "tiqr.example.org",
        "logoUrl": "https://tiqr.example.org/logo.png",
        "infoUrl": "https://tiqr.example.org/info",
        "authenticationUrl": "https://tiqr.example.org/auth",
        "ocraSuite": "OCRA-1:HOTP-SHA1-6:QH10-S",
        "enrollmentUrl": "https://tiqr.example.org/enrol?otp=1",
    },
    "identity": {"identifier": "alice", "displayName": "Alice Müller"},
}


def test_a_link_in_both_forms() -> None:
    """The URL as it is, or escaped in another one."""
    link = EnrolmentLink(URL)
    assert link.text == f"tiqrenroll://{URL}"
    assert parse_enrolment(link.text) == parse_enrolment(link.text.encode()) == link
    assert parse_enrolment(link.as_link("https://eduid.nl")) == link
    eduid = "https://eduid.nl/tiqrenroll/?metadata=https%3A%2F%2Flogin.test2.eduid.nl%2Ftiqr%2Fmetadata%3Fkey%3Dd47"
    assert parse_enrolment(eduid).metadata_url == "https://login.test2.eduid.nl/tiqr/metadata?key=d47"


@pytest.mark.parametrize(
    "text", ["", "tiqrauth://a/b/c/d", "https://tiqr.example.org/metadata", b"\xff", "otpauth://a"]
)
def test_another_code_is_not_ours(text: str | bytes) -> None:
    """Also a challenge, or any link."""
    with pytest.raises(NotOurs):
        parse_enrolment(text)


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "javascript:1", "https://", "https://a b", "https://a:99999/", "https://[x/", "ä"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """A token fetches only what http can."""
    with pytest.raises(Damaged, match="metadata URL is none"):
        parse_enrolment(f"tiqrenroll://{url}")
    with pytest.raises(Damaged, match="lacks its metadata"):
        parse_enrolment("https://eduid.nl/tiqrenroll/?other=1")


def test_metadata_in_both_directions() -> None:
    """Whatever else a server adds is left aside."""
    metadata = parse_metadata(json.dumps(METADATA | {"new": 1}).encode())
    assert metadata.service.identifier == "tiqr.example.org"
    assert metadata.identity == Identity("alice", "Alice Müller")
    assert json.loads(metadata.pack()) == METADATA
    assert parse_metadata(metadata.pack()) == metadata


def test_the_suite_has_a_default() -> None:
    """That of tiqr's server."""
    service = Service("Example", "tiqr.example.org", "https://a/auth", "https://a/enrol")
    assert Metadata(service, Identity("alice", "Alice")).service.ocra_suite == "OCRA-1:HOTP-SHA1-6:QH10-S"


@pytest.mark.parametrize(
    ("part", "name", "value", "error"),
    [
        ("service", "authenticationUrl", "file:///x", Damaged),
        ("service", "enrollmentUrl", None, Damaged),
        ("service", "ocraSuite", "OCRA-1:HOTP-SHA1-6:QH10-T1M", Unsupported),
        ("service", "ocraSuite", "SHA1", Unsupported),
        ("service", "displayName", "a\u202eb", Damaged),
        ("service", "displayName", "", Damaged),
        ("service", "identifier", "x" * 256, Damaged),
        ("identity", "identifier", 7, Damaged),
        ("identity", "displayName", "a\nb", Damaged),
    ],
)
def test_bad_metadata_is_refused(part: str, name: str, value: Any, error: type[TiqrError]) -> None:
    """Each member that a token relies on."""
    changed = METADATA | {part: METADATA[part] | {name: value}}
    with pytest.raises(error):
        parse_metadata(json.dumps(changed).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"service":{}}', b"[" * 50_000, b" " * 70_000])
def test_what_is_no_metadata_is_refused(data: bytes) -> None:
    """Whatever a server sends."""
    with pytest.raises(Damaged):
        parse_metadata(data)


@given(st.text(max_size=60))
def test_any_text_is_a_link_or_refused(text: str) -> None:
    """And what is one stays one."""
    for each in (text, f"tiqrenroll://{text}", f"tiqrenroll://https://{text}"):
        try:
            link = parse_enrolment(each)
        except TiqrError:
            continue
        assert link.text == each
