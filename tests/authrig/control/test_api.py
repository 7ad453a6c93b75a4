import json
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from authrig.control.happenings import Happenings
from authrig.control.open_bench import OpenBench
from authrig.control.running import ControlServer
from authrig.pictures import print_code
from tests.authrig.control.waiting import selecting, wait_for

PNG = {"Content-Type": "image/png"}
TEXT = {"Content-Type": "text/plain"}


def _error(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


def _state(program: httpx.Client, name: str) -> dict[str, Any]:
    state: dict[str, Any] = program.get(f"/devices/{name}/state").json()["state"]
    return state


@contextmanager
def _events(program: httpx.Client, path: str, **headers: str) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """The events at ``path``: of each its sort and its data."""

    def read(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for line in lines:
            if line.startswith("event: "):
                sort = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield sort, json.loads(line.removeprefix("data: "))

    with program.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield read(answer.iter_lines())


def test_all_devices_are_listed_with_what_can_be_done_to_them(program: httpx.Client) -> None:
    """In the order of the rig file, with their state."""
    devices = {each["name"]: each for each in program.get("/devices").json()["devices"]}
    assert list(devices) == ["key", "spare", "token", "gate", "eye"]
    assert devices["key"]["actions"] == ["power", "touch"]
    assert devices["key"]["state"]["power"] is True
    assert devices["spare"]["state"]["profile"] == "yubikey-5.8"
    assert devices["token"]["actions"] == ["picture", "power", "press", "screen"]
    assert devices["token"]["state"]["screen"] == "idle"


def test_a_key_is_touched(program: httpx.Client) -> None:
    """A host waits, the bench says why the key blinks, and a tap answers."""
    with selecting(_state(program, "key")["address"]) as answers:
        wait_for(lambda: _state(program, "key")["asks"] == "select")
        assert program.post("/devices/key/touch").json()["state"]["touch"] is False
    assert answers == [b""]


def test_a_key_is_unplugged_and_plugged_in_again(program: httpx.Client) -> None:
    """Others stay as they are, whatever the host that was using it thinks of that."""
    before = _state(program, "spare")
    assert program.post("/devices/key/power", json={"on": False}).json()["state"]["address"] is None
    assert _state(program, "spare") == before
    again = program.post("/devices/key/power", json={"on": True}).json()["state"]
    with selecting(again["address"]) as answers:
        wait_for(lambda: _state(program, "key")["asks"])
        program.post("/devices/key/touch", json={})
    assert answers == [b""]


def test_the_calls_of_yubicos_rig(program: httpx.Client, server: ControlServer) -> None:
    """They need no header at the controller's address, and the token elsewhere."""
    with httpx.Client(base_url=server.controller_url, trust_env=False) as yubico:
        described = yubico.get("/").json()["ports"]
        assert [(each["port"], each["name"]) for each in described] == [(1, "key"), (2, "spare")]
        assert yubico.get("/usb2/power/off").json()["state"]["power"] is False
        assert yubico.get("/usb2/power/on").json()["state"]["power"] is True
        assert yubico.get("/usb1/touch/on").json()["state"]["touch"] is True
        assert yubico.get("/usb1/touch/off").json()["state"]["touch"] is False
        assert _error(yubico.get("/usb3/touch/on"), 404) == "expected one of usb1, usb2, found usb3"
    assert program.get("/usb1/touch/on").json()["name"] == "key"
    wrong = server.controller_url[:-1] + ("A" if server.controller_url[-1] != "A" else "B")
    assert "controller's address" in _error(httpx.get(f"{wrong}/usb1/touch/on", trust_env=False), 401)


def test_a_token_reads_what_is_held_before_its_camera(program: httpx.Client) -> None:
    """It looks while it scans, and says what it makes of it."""
    assert program.post("/devices/token/press", json={"button": "ok"}).json()["state"]["screen"] == "scanning"
    picture = print_code("https://example.com/")
    assert program.post("/devices/token/picture", content=picture, headers=PNG).json()["state"]["picture"] is True
    wait_for(lambda: _state(program, "token")["screen"] == "error")
    assert _state(program, "token")["lines"][0] == "Not a challenge"
    assert program.delete("/devices/token/picture").json()["state"]["picture"] is False


def test_a_token_is_switched_off_and_on(program: httpx.Client) -> None:
    """And shows nothing meanwhile."""
    dark = program.post("/devices/token/power", json={"on": False}).json()["state"]
    assert (dark["power"], dark["screen"], dark["lines"]) == (False, "off", [])
    assert program.post("/devices/token/power", json={"on": True}).json()["state"]["screen"] == "idle"


def test_screens_are_pictures(program: httpx.Client) -> None:
    """The device in one's hand, or its panel dot for dot."""
    whole, dots = (program.get(f"/devices/token/screen.png{query}") for query in ("", "?dots=1"))
    assert whole.headers["content-type"] == "image/png"
    assert int.from_bytes(whole.content[16:20]) > 500
    assert (int.from_bytes(dots.content[16:20]), int.from_bytes(dots.content[20:24])) == (128, 64)


def test_a_scanner_reads(program: httpx.Client) -> None:
    """Its view shows the frame in which it read."""
    assert "seen nothing yet" in _error(program.get("/devices/gate/screen.png"), 404)
    assert program.post("/devices/gate/picture", content="badge 17", headers=TEXT).json()["state"]["read"] == "badge 17"
    for text in ("Zürich", "日本"):
        body = text.encode()
        assert program.post("/devices/gate/picture", content=body, headers=TEXT).json()["state"]["read"] == text
    assert program.get("/devices/gate/screen.png").content.startswith(b"\x89PNG")


def test_a_scanner_that_reads_nothing_says_so(program: httpx.Client) -> None:
    """And the view shows what it saw."""
    program.post("/devices/gate/picture", content="badge 17", headers=TEXT)
    import cv2  # noqa: PLC0415 - slow to import
    import numpy as np  # noqa: PLC0415 - as above

    blank = cv2.imencode(".png", np.full((90, 90), 255, np.uint8))[1].tobytes()
    assert program.post("/devices/gate/picture", content=blank, headers=PNG).json()["state"]["read"] is None
    assert program.get("/devices/gate/screen.png").content.startswith(b"\x89PNG")


def test_a_camera_shows_what_is_before_it(program: httpx.Client) -> None:
    """Each look is another frame."""
    assert "nothing is before it" in _error(program.get("/devices/eye/screen.png"), 404)
    program.post("/devices/eye/picture", content="anything", headers=TEXT)
    first, second = (program.get("/devices/eye/screen.png").content for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("call", "body", "kind", "sentence"),
    [
        ("token/picture", b"no picture", "image/png", "expected a PNG, found 10 bytes that are none"),
        ("token/picture", print_code("x")[:60], "image/png", "expected a PNG"),
        ("token/picture", b"GIF89a", "image/gif", "expected image/png or text/plain, found image/gif"),
        ("token/picture", b"x" * 4000, "text/plain", "fits into a QR code"),
        ("token/picture", b"\xff", "text/plain", "fits into a QR code"),
        ("token/picture", b"", "text/plain", "expected a text that fits into a QR code, found none"),
        ("token/picture", print_code("x")[:16] + b"\xff" * 4 + print_code("x")[20:], "image/png", "4294967295"),
        ("token/picture", bytes((8 << 20) + 1), "image/png", "expected at most 8388608 bytes"),
        ("token/press", b'{"button": "up"}', "application/json", "press: Invalid enum value 'up'"),
        ("token/press", b"{}", "application/json", "press: Object missing required field `button`"),
        ("token/power", b'{"on": 1}', "application/json", "power: Expected `bool`, got `int`"),
        ("key/touch", b'{"hard": true}', "application/json", "touch: Object contains unknown field `hard`"),
        ("key/touch", b"[" * 100000, "application/json", "touch: "),
    ],
)
def test_what_cannot_be_understood_is_refused(
    program: httpx.Client, call: str, body: bytes, kind: str, sentence: str
) -> None:
    """By a sentence, and every device stands as before."""
    before = program.get("/devices").json()
    answer = program.post(f"/devices/{call}", content=body, headers={"Content-Type": kind})
    assert sentence in _error(answer, 400)
    assert program.get("/devices").json() == before


def test_answers_that_overtake_each_other_can_be_told_apart(program: httpx.Client) -> None:
    """The one with the higher number is newer."""
    first = program.get("/devices/token/state").json()
    second = program.post("/devices/token/press", json={"button": "ok"}).json()
    assert (first["state"]["screen"], second["state"]["screen"]) == ("idle", "scanning")
    assert first["number"] < second["number"]


def test_what_a_device_cannot_do_is_refused(program: httpx.Client) -> None:
    """By a sentence that says what it can."""
    assert _error(program.post("/devices/gate/touch"), 409) == (
        "gate: this scanner cannot be touched: expected one of picture, screen, found touch"
    )
    assert "cannot be pressed (ok)" in _error(program.post("/devices/key/press", json={"button": "ok"}), 409)
    assert "OK or CANCEL, found 5" in _error(program.post("/devices/token/press", json={"button": "5"}), 409)
    assert _error(program.get("/devices/nobody/state"), 404) == (
        "expected one of key, spare, token, gate, eye, found nobody"
    )
    assert _error(program.get("/devices/nobody/events"), 404).endswith("found nobody")
    assert _error(program.get("/nowhere"), 404) == "there is no such call"
    assert _error(program.post("/devices"), 405) == "this call has another method"


def test_what_happens_is_told_as_it_happens(program: httpx.Client) -> None:
    """Decoded traffic, touches asked for and given, screens; of one device or of all."""
    with _events(program, "/events") as events, selecting(_state(program, "key")["address"]):
        seen = []
        for sort, data in events:
            assert sort == "happening"
            seen.append((data["device"], data["kind"], data["text"]))
            if data["text"].startswith("asks for a touch"):
                program.post("/devices/key/touch")
            if data["text"].endswith("OK"):
                break
    assert ("key", "ctap", "host → key  authenticatorSelection") in seen
    assert seen.index(("key", "touch", "asks for a touch: select")) < seen.index(("key", "touch", "touched"))
    with _events(program, "/devices/token/events") as events:
        sort, first = next(events)
        assert (first["device"], first["kind"], first["text"]) == (
            "token",
            "screen",
            "idle: QR Reader 128 / Ready / QT1-00000001",
        )


def test_a_stream_goes_on_where_it_was_left(program: httpx.Client) -> None:
    """With Last-Event-ID nothing comes twice."""
    with _events(program, "/events") as events:
        _, first = next(events)
    with _events(program, "/events", **{"Last-Event-ID": str(first["number"])}) as events:
        _, second = next(events)
    assert second["number"] == first["number"] + 1


def test_who_asks_only_for_the_headers_of_a_stream_gets_them(program: httpx.Client) -> None:
    """And no stream."""
    answer = program.head("/events")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_who_reads_slowly_is_told_what_was_skipped_and_holds_nobody_up(
    program: httpx.Client, bench: OpenBench, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Much more happens than is kept, while one client does not read at all."""
    monkeypatch.setattr(bench.happenings, "_kept", deque(maxlen=50))
    lines = 4000  # of 4 kB: more than all buffers between here and there
    with socket.create_connection(("127.0.0.1", server.port)) as deaf:
        deaf.sendall(
            f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: Bearer {server.guard.token}\r\n\r\n".encode()
        )
        assert deaf.recv(15) == b"HTTP/1.1 200 OK"
        for number in range(lines):
            bench.happenings.add("key", "ctap", f"line {number} {'.' * 4000}")
        assert _state(program, "key")["power"] is True
        read = bytearray()
        while f"line {lines - 1} ".encode() not in read[-(1 << 20) :]:
            read += deaf.recv(1 << 20)
    assert b"event: skipped" in read


def test_the_end_of_the_bench_ends_streams(bench: OpenBench) -> None:
    """Nobody has to close them first."""
    with ControlServer(bench) as server:
        headers = {"Authorization": f"Bearer {server.guard.token}"}
        client = httpx.Client(base_url=server.url, headers=headers, trust_env=False)
        answer = client.send(client.build_request("GET", "/events"), stream=True)
        lines = answer.iter_lines()
        next(lines)
    assert list(lines)[-1] == ""
    client.close()


def test_happenings_are_kept_for_a_while() -> None:
    """What is no longer kept is counted."""
    happenings = Happenings(kept=3)
    for number in range(5):
        happenings.add("key", "ctap", str(number))
    assert ([each.text for each in happenings.after(0)[0]], happenings.after(0)[1]) == (["2", "3", "4"], 2)
    assert ([each.text for each in happenings.after(4)[0]], happenings.after(4)[1]) == (["4"], 0)
    assert happenings.after(5) == ([], 0)
