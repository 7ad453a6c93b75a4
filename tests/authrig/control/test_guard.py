import http.client

import httpx
import pytest
from starlette.requests import Request

from authrig.control.guard import objection
from authrig.control.running import ControlServer


def _get(server: ControlServer, path: str, method: str = "GET", **headers: str) -> int:
    """The status of a request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer wrong", "Basic {token}", "Bearer {token}x", "Bearer \xe9"]
)
@pytest.mark.parametrize(
    "path", ["/devices", "/events", "/devices/key/state", "/devices/token/screen.png", "/usb1/touch/on"]
)
def test_without_the_token_nothing_is_told(server: ControlServer, header: str | None, path: str) -> None:
    """Whatever is put in its place."""
    host = f"127.0.0.1:{server.port}"
    more = {} if header is None else {"Authorization": header.format(token=server.guard.token)}
    assert _get(server, path, Host=host, **more) == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {},
        {"Host": "127.0.0.1:{port}", "Origin": "http://evil.example"},
        {"Host": "127.0.0.1:{port}", "Origin": "http://127.0.0.1:1"},
        {"Host": "127.0.0.1:{port}", "Origin": "null"},
        {"Host": "127.0.0.1:{port}", "Sec_Fetch_Site": "cross-site"},
        {"Host": "127.0.0.1:{port}", "Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/devices", "/login"])
def test_other_sites_are_refused(server: ControlServer, headers: dict[str, str], path: str) -> None:
    """A name that somebody else's DNS points here, or a page of another origin: also with the token."""
    sent = {name: value.format(port=server.port) for name, value in headers.items()}
    method = "POST" if path == "/login" else "GET"
    status = _get(server, path, method, Authorization=f"Bearer {server.guard.token}", **sent)
    assert status == 403


def test_our_own_page_may_ask(server: ControlServer) -> None:
    """Under either name of this machine."""
    for name in ("127.0.0.1", "localhost"):
        headers = {"Host": f"{name}:{server.port}", "Origin": f"http://{name}:{server.port}"}
        token = f"Bearer {server.guard.token}"
        assert _get(server, "/devices", Authorization=token, Sec_Fetch_Site="same-origin", **headers) == 200


def test_the_port_that_browsers_do_not_name() -> None:
    """On port 80 a Host header has none."""
    request = Request({"type": "http", "headers": [(b"host", b"localhost"), (b"origin", b"http://localhost")]})
    assert objection(request, 80, page=True) is None
    assert objection(request, 81, page=True) == "expected a request to 127.0.0.1:81, found another Host"


def test_no_page_may_use_the_controllers_address(server: ControlServer) -> None:
    """Not even ours: it is for programs that know no header."""
    path, host = server.controller_url.removeprefix(server.url), f"127.0.0.1:{server.port}"
    assert _get(server, f"{path}/usb1/touch/off", Host=host) == 200
    assert _get(server, f"{path}/usb1/touch/off", Host=host, Sec_Fetch_Site="same-origin") == 403
    assert _get(server, f"{path}/usb1/touch/off", Host=host, Origin=server.url) == 403


def test_a_link_opens_the_page_once(server: ControlServer) -> None:
    """The code behind the # is exchanged for the token; the second who comes with it gets nothing."""
    code = server.login_link.partition("#")[2]
    with httpx.Client(base_url=server.url, trust_env=False) as page:
        assert page.post("/login", json={"code": "wrong"}).status_code == 401
        assert page.post("/login", json={"code": code}).json() == {"token": server.guard.token}
        again = page.post("/login", json={"code": code})
    assert (again.status_code, again.json()["error"]) == (401, "this link was used already, or is of another bench")


def test_the_page_runs_no_script_but_its_own(server: ControlServer) -> None:
    """Its policy allows none inline, and nothing is loaded from elsewhere."""
    answer = httpx.get(f"{server.url}/", trust_env=False)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.text.count("<script") == 1
    assert '<script type="module" src="/page.js"></script>' in answer.text
    assert server.guard.token not in answer.text
