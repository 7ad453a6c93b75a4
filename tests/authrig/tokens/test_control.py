import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from authrig.errors import RigError
from authrig.tokens.control import ControlServer
from authrig.tokens.lines import Line
from authrig.tokens.running import RunOptions, open_line
from authrig.tokens.token_file import TokenFile
from emulators.hwtoken.console import MAX_LINE_BYTES


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """A running token."""
    TokenFile.create(tmp_path / "a", "dot_matrix_128x64", "QT1-1").close()
    with ExitStack() as opened:
        yield open_line(RunOptions(tmp_path / "a"), opened)


@pytest.fixture
def control(line: Line) -> Iterator[ControlServer]:
    """Over HTTP."""
    with ControlServer(line.using) as server:
        yield server


def ask(
    control: ControlServer, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """One request."""
    with closing(http.client.HTTPConnection(urlsplit(control.url).netloc, timeout=20)) as connection:
        connection.request(method, path, body or None, headers or {})
        response = connection.getresponse()
        return response.status, response.read()


def request(control: ControlServer, body: bytes) -> Any:
    """One request to the console."""
    status, answer = ask(control, "POST", "/console", body)
    assert status == 200
    return json.loads(answer)


def test_the_console_over_http(control: ControlServer) -> None:
    """The same requests and answers as on the line; line feeds in a request are white space, as JSON has it."""
    assert request(control, b'{"cmd":\n"hello",\n"id":7}')["serial"] == "QT1-1"
    assert request(control, b'{"cmd":"press","button":"ok"}')["ok"]
    assert request(control, b"nonsense")["error"] == "bad-json"
    assert request(control, b" ")["error"] == "bad-json"


def test_the_screen(control: ControlServer) -> None:
    """In words and as a picture."""
    status, words = ask(control, "GET", "/screen")
    assert (status, json.loads(words)["state"]) == (200, "idle")
    status, picture = ask(control, "GET", "/screen.png")
    assert status == 200
    assert picture.startswith(b"\x89PNG")


def test_no_page_of_a_browser_uses_it(control: ControlServer) -> None:
    """Neither from another site nor under a name that someone's DNS made up for this machine."""
    press = b'{"cmd":"press","button":"ok"}'
    for headers in ({"Origin": "https://example.org"}, {"Host": "example.org:80"}, {"Sec-Fetch-Site": "cross-site"}):
        assert ask(control, "POST", "/console", press, headers)[0] == 403
        assert ask(control, "GET", "/screen", headers=headers)[0] == 403


def test_what_is_no_request_is_refused(control: ControlServer) -> None:
    """Paths, methods and sizes that it does not know; it serves on."""
    assert ask(control, "GET", "/")[0] == 404
    assert ask(control, "POST", "/screen", b"{}")[0] == 404
    assert ask(control, "PUT", "/console", b"{}")[0] == 501
    assert ask(control, "POST", "/console", headers={"Content-Length": str(MAX_LINE_BYTES + 1)})[0] == 413
    assert ask(control, "POST", "/console", headers={"Content-Length": "-1"})[0] == 413
    assert ask(control, "POST", "/console", headers={"Content-Length": "000000000" + "9" * 9})[0] == 413
    assert request(control, b'{"cmd":"hello"}')["ok"]


def test_a_port_that_is_taken_or_none(control: ControlServer, line: Line) -> None:
    """One sentence that names it."""
    port = urlsplit(control.url).port or 0
    for number, named in ((port, str(port)), (65536, "65535")):
        with pytest.raises(RigError, match=named):
            ControlServer(line.using, number)
