import http.client
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.world import PASSWORD, SEED, own_world


def add_alice(url: str, token: str) -> httpx.Response:
    """Make a user."""
    body = {"username": "alice", "password": PASSWORD}
    return httpx.post(f"{url}/admin/rest/users", json=body, headers={"Authorization": f"Bearer {token}"})


def test_three_interfaces_answer_on_loopback_and_are_gone_afterwards(settings: Settings) -> None:
    """Ready when the context is entered; the ports are free when it is left."""
    with run_server(settings) as server:
        urls = [server.public_url, server.internal_url, server.cloud_url]
        assert [httpx.get(f"{url}/health").json() for url in urls] == [{"status": "ok"}] * 3
        assert {urlsplit(url).hostname for url in urls} == {"127.0.0.1"}
        assert server.origin == f"http://localhost:{server.settings.public_port}"
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


def test_what_was_acknowledged_is_there_after_a_restart(settings: Settings) -> None:
    """Users, keys and the admin token."""
    with run_server(settings) as server:
        token = server.admin_token
        assert add_alice(server.internal_url, token).status_code == 201
    with run_server(settings) as server:
        assert server.admin_token == token
        assert add_alice(server.internal_url, token).status_code == 409


def test_a_port_in_use_is_one_sentence(settings: Settings) -> None:
    """It names the interface, the port and the reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServerError, match=f"127.0.0.1 port {port} for the internal interface: Address already"),
            run_server(replace(settings, internal_port=port)),
        ):
            pytest.fail("it started")


def test_a_folder_that_cannot_be_made_is_one_sentence(settings: Settings, tmp_path: Path) -> None:
    """Here because a file is in its place."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ServerError, match="cannot make the folder"),
        run_server(replace(settings, data_dir=tmp_path / "file" / "data")),
    ):
        pytest.fail("it started")


def test_a_database_that_is_none_is_one_sentence(file_settings: Settings) -> None:
    """It is left as it is."""
    file_settings.data_dir.mkdir()
    broken = file_settings.data_dir / "iam.sqlite3"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(ServerError, match=r"cannot use the database .*iam\.sqlite3"), run_server(file_settings):
        pytest.fail("it started")
    assert broken.read_bytes() == b"this is no database" * 100


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104 - it must be refused
def test_it_is_not_reachable_from_other_machines_by_accident(settings: Settings, host: str) -> None:
    """Only when that is said in so many words."""
    with pytest.raises(ServerError, match="not a loopback address"), run_server(replace(settings, host=host)):
        pytest.fail("it started")


def test_with_the_clouds_own_process_gone_the_iam_says_so(settings: Settings) -> None:
    """503 at the step that needs the cloud; the login goes on when it is back."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    with run_server(replace(settings, cloud_url=gone)) as server:
        add_alice(server.internal_url, server.admin_token)
        with httpx.Client(base_url=f"{server.public_url}/auth/rest/public/authentication") as client:
            client.headers["X-Same-Domain"] = "1"
            client.post("/applications/ebanking/access/")
            password = client.post("/password/check/", json={"username": "alice", "password": PASSWORD})
            assert password.status_code == 200
            response = client.post("/airlock-2fa/devices/retrieve/")
        assert (response.status_code, response.json()["errors"][0]["code"]) == (503, "AIRLOCK_2FA_UNAVAILABLE")
        headers = {"Authorization": f"Bearer {server.admin_token}"}
        body = {"serial": "QT1-1", "seedHex": SEED.hex(), "displayName": "x"}
        url = f"{server.internal_url}/admin/rest/users/alice/qr-tokens"
        assert httpx.post(url, json=body, headers=headers).status_code == 503


def test_the_cloud_can_run_in_a_process_of_its_own(settings: Settings) -> None:
    """Here in a server of its own; a login goes through both, and stops when the cloud does."""
    with (
        run_server(replace(settings, parts=("cloud",))) as cloud,
        own_world(settings, parts=("iam",), cloud_url=cloud.cloud_url) as world,
    ):
        assert (cloud.public_url, cloud.internal_url) == ("", "")
        assert world.server.cloud_url == cloud.cloud_url
        browser, _, device = world.at_the_qr_code()
        assert browser.otp(device.code(browser.qr())).status_code == 200


def test_an_iam_without_a_cloud_is_one_sentence(settings: Settings) -> None:
    """It would not know where to ask."""
    with pytest.raises(ServerError, match="set cloud_url"), run_server(replace(settings, parts=("iam",))):
        pytest.fail("it started")


SERVE = """
import sys
from pathlib import Path
from server_stub.run import serve
from server_stub.settings import Settings
serve(Settings(data_dir=Path(sys.argv[1])), lambda server: print(server.public_url, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_also_with_a_client_connected(tmp_path: Path, number: signal.Signals) -> None:
    """It ends by itself with exit code 0 and leaves a whole database."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        address = urlsplit(process.stdout.readline().strip()).netloc
        idle = http.client.HTTPConnection(address)
        idle.request("GET", "/health")
        assert idle.getresponse().read() == b'{"status":"ok"}'
        os.kill(process.pid, number)
        assert process.stdout.read() == "stopped\n"
        assert process.wait(10) == 0
        idle.close()
    assert (tmp_path / "iam.sqlite3").stat().st_size > 0
