from http import HTTPStatus

import httpx
import pytest

from authrig.errors import RigError
from authrig.loopback import LoopbackHandler, LoopbackServer


class Handler(LoopbackHandler[str]):
    """Answers programs of this machine with what is served."""

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        """Answer."""
        if self.is_from_here:
            self.answer(HTTPStatus.OK, "text/plain", self.server.served.encode())
        else:
            self.answer(HTTPStatus.FORBIDDEN, "text/plain", b"no")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:80"}, 200),
        ({"Host": "127.0.0.1"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Host": "evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_programs_may_ask_and_pages_may_not(headers: dict[str, str], status: int) -> None:
    """Whatever name a page knows this machine by."""
    with LoopbackServer("hello", Handler) as server:
        answer = httpx.get(server.url, headers=headers, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_port_that_cannot_be_had_is_a_sentence() -> None:
    """One that is taken, and one that is none."""
    with LoopbackServer("hello", Handler) as server:
        taken = int(server.url.rpartition(":")[2])
        with pytest.raises(RigError, match=f"cannot listen on 127.0.0.1:{taken}: Address already in use"):
            LoopbackServer("again", Handler, taken)
    with pytest.raises(RigError, match=r"cannot listen on 127\.0\.0\.1:70000: a port is a number from 0 to 65535"):
        LoopbackServer("hello", Handler, 70000)
