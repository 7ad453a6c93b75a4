"""`authrig rig up` with a key on uhid: libfido2 is the host, and the finger and the power are those of the control API."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.vm.conftest import run, wait_for

RIG = """
version = 1
[devices.key]
kind = "fido"
emulated = { transport = "uhid" }
"""
CREDENTIAL = f"{base64.b64encode(bytes(32)).decode()}\nexample.com\nada\n{base64.b64encode(b'ada').decode()}\n"
Call = Callable[..., dict[str, Any]]


@contextmanager
def rig_up(rig_file: Path) -> Iterator[Call]:
    """The bench; yields what calls its API, at a path below the key's."""
    command = ["authrig", "rig", "up", "--rig", str(rig_file), "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bench:
        assert bench.stdout is not None
        said = json.loads(bench.stdout.readline())
        headers = {"Authorization": f"Bearer {said['token']}"}
        with httpx.Client(base_url=said["url"], headers=headers, timeout=60, trust_env=False) as client:

            def call(action: str, body: object = None) -> dict[str, Any]:
                path = f"/devices/key/{action}"
                answer = client.get(path) if body is None else client.post(path, json=body)
                state: dict[str, Any] = answer.raise_for_status().json()["state"]
                return state

            yield call
        bench.terminate()
        assert bench.wait(60) == 0


def test_a_key_is_touched_and_pulled_out_over_the_api(tmp_path: Path) -> None:
    """A registration waits for the touch; without power there is no key, and with it there is one again."""
    rig_file = tmp_path / "rig.toml"
    rig_file.write_text(RIG, "utf-8")
    with rig_up(rig_file) as call:
        node = call("state")["address"]
        words = ["fido2-cred", "-M", node]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:
            assert host.stdin is not None
            host.stdin.write(CREDENTIAL)
            host.stdin.close()
            assert wait_for(lambda: call("state")["asks"], timeout=60) == "register"
            assert host.poll() is None
            call("touch", {})
            assert host.wait(60) == 0
        call("power", {"on": False})
        wait_for(lambda: not run("fido2-token", "-L"))
        call("power", {"on": True})
        wait_for(lambda: "vendor=0x1209" in run("fido2-token", "-L"))
