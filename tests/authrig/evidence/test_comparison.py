"""Two recordings side by side: what is another each time does not count, all else does."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

from authrig.cli import main
from authrig.errors import RigError
from authrig.evidence.comparison import compare, compare_logs
from authrig.evidence.event_log import Logged, read_log, to_line, write_log
from authrig.evidence.meaning import exchanges
from authrig.evidence.recorder import Event
from offline_qr import otq1

GET_INFO = b"\x04"


def _reports(direction: str, channel: int, command: int, payload: bytes) -> list[Event]:
    """A message as reports of 64 bytes."""
    head = channel.to_bytes(4)
    chunks = [head + bytes((0x80 | command,)) + len(payload).to_bytes(2) + payload[:57]]
    rest = payload[57:]
    chunks += [head + bytes((number,)) + rest[at : at + 59] for number, at in enumerate(range(0, len(rest), 59))]
    return [Event("ctaphid", "key", direction, chunk.ljust(64, b"\0"), {}) for chunk in chunks]


def _log(*events: Event) -> list[Logged]:
    return [Logged(float(number), event) for number, event in enumerate(events)]


def _info(channel: int, **options: bool) -> list[Logged]:
    answer = cbor.encode({1: ["FIDO_2_1"], 3: bytes(16), 4: options, 0x19: bytes((channel,)) * 32})
    asked, told = _reports("to_device", channel, 0x10, GET_INFO), _reports("from_device", channel, 0x10, b"\0" + answer)
    keepalives = [event for _ in range(channel) for event in _reports("from_device", channel, 0x3B, b"\1")]
    return _log(*asked, *keepalives, *told)


def test_channels_keepalives_and_what_is_encrypted_anew_do_not_count() -> None:
    """Two keys that say the same are equal."""
    assert exchanges(_info(1, rk=True)) == exchanges(_info(3, rk=True))
    assert [each.name for each in exchanges(_info(1))] == ["host authenticatorGetInfo", "key authenticatorGetInfo"]


def test_an_option_that_one_key_has_is_named() -> None:
    """Field by field."""
    (found,) = compare_logs("t", exchanges(_info(1, rk=True)), exchanges(_info(1, rk=True, bioEnroll=False)))
    assert found.sentence == "t: key authenticatorGetInfo, options.bioEnroll: nothing | false"


def _signed(digest: bytes, curve: ec.EllipticCurve) -> tuple[list[Logged], list[Logged]]:
    """An assertion, and an answer of U2F, with a signature of a key made for it."""
    signature = ec.generate_private_key(curve).sign(digest, ec.ECDSA(hashes.SHA256()))
    assertion = b"\0" + cbor.encode({3: signature, 4: {"x5c": [bytes(300) + signature]}})
    told = _reports("to_device", 1, 0x10, b"\x02") + _reports("from_device", 1, 0x10, assertion)
    return _log(*told), _log(*_reports("from_device", 1, 0x03, b"\x01\0\0\0\x05" + signature + b"\x90\0"))


def test_the_length_of_a_signature_is_chance() -> None:
    """DER writes a number of ECDSA with more or fewer bytes; which curve it is counts."""
    several = [_signed(bytes((number,)), ec.SECP256R1()) for number in range(40)]
    first, *others = [(exchanges(assertion), exchanges(answer)) for assertion, answer in several]
    assert all(other == first for other in others)
    assert first[0][1].fields["signature"] == "<ECDSA signature of 2x32 bytes>"
    assert first[1][0].fields == {"status word": "9000", "length": "5 and an ECDSA signature of 2x32"}
    assert exchanges(_signed(b"", ec.SECP384R1())[0]) != first[0]


def test_an_aaguid_counts_and_a_status_too() -> None:
    """Both are what a firmware team looks for."""
    refused = _log(*_reports("to_device", 1, 0x10, GET_INFO), *_reports("from_device", 1, 0x10, b"\x01"))
    found = list(compare_logs("t", exchanges(_info(1)), exchanges(refused)))
    assert [(each.field, each.first, each.second) for each in found if each.field == "status"] == [
        ("status", "SUCCESS", "INVALID_COMMAND")
    ]
    assert any(each.field == "aaguid" for each in found)


def _screen(state: str, *lines: str) -> Event:
    return Event("screen", "token", "from_device", b"", {"state": state, "lines": list(lines), "code": None})


def test_codes_serials_and_times_on_a_screen_do_not_count() -> None:
    """The number of digits does."""
    first = _log(_screen("code", "Code", "1234 5678"), _screen("idle", "QR Reader", "QT1-00000001", "2026-01-01 00:00"))
    second = _log(
        _screen("code", "Code", "8765 4321"), _screen("idle", "QR Reader", "QT1-00000042", "2027-02-03 04:05")
    )
    third = _log(_screen("code", "Code", "876 432"), *(logged.event for logged in second[1:]))
    assert exchanges(first) == exchanges(second)
    (found,) = compare_logs("t", exchanges(first), exchanges(third))
    assert (found.field, found.first, found.second) == ("lines[1]", "<8 digits>", "<6 digits>")


def test_a_challenge_is_compared_by_its_header() -> None:
    """Type, suite, flags and life; not its id, its time, nor for whom it is."""

    def picture(serial: str, suite: int) -> Event:
        header = otq1.Header(otq1.MessageType.LOGIN, otq1.key_id(serial), serial[:12].encode(), 1, 180, suite)
        text = otq1.encode(otq1.Challenge(header, ()), otq1.derive_keys(serial, bytes(32)))
        return Event("picture", "token", "to_device", b"", {"texts": [text], "sha256": serial})

    one, other = exchanges(_log(picture("QT1-00000001", 1))), exchanges(_log(picture("QT1-00000042", 1)))
    assert one == other
    assert one[0].fields == {"texts": "OTQ1 login, suite 1, flags 0, ttl 180"}
    assert one != exchanges(_log(picture("QT1-00000001", 6)))


def test_a_screen_that_one_device_shows_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By command: exit code 1 and a sentence, or JSON."""
    for name, events in (("a", [_screen("idle")]), ("b", [_screen("idle"), _screen("off")])):
        (tmp_path / name / "test_x").mkdir(parents=True)
        write_log(tmp_path / name / "test_x" / "events.jsonl", _log(*events))
    (tmp_path / "b" / "test_more").mkdir()
    write_log(tmp_path / "b" / "test_more" / "events.jsonl", [])
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert "test_x: screen off: nothing | screen off: state='off'" in capsys.readouterr().out.replace("=off", "='off'")
    assert main(["compare", "--json", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["tests"], told["equal"], len(told["differences"])) == (1, False, 2)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a")]) == 0


def test_what_is_no_evidence_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and which line is wrong."""
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "expected evidence" in capsys.readouterr().err
    log = tmp_path / "events.jsonl"
    for damaged in (
        b"{",
        b"[]",
        b'{"time": 1}',
        b"\xff",
        b'{"time":0,"layer":"","device":"","direction":"","bytes":"0","decoded":{}}',
    ):
        log.write_bytes(b"\n" + damaged + b"\n")
        with pytest.raises(RigError, match=r"events.jsonl, line 2: expected an event"):
            read_log(log)
    (tmp_path / "run" / "t").mkdir(parents=True)
    write_log(tmp_path / "run" / "t" / "events.jsonl", [])
    with pytest.raises(RigError, match="no test in common"):
        compare(tmp_path, tmp_path / "run")


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Bytes, umlauts and nested values."""
    log = _log(Event("ctaphid", "key", "to_device", b"\0\xff", {"about": "ü", "more": [1, None, {"a": True}]}))
    write_log(tmp_path / "events.jsonl", log)
    assert read_log(tmp_path / "events.jsonl") == log
    assert "\n" not in to_line(log[0])
