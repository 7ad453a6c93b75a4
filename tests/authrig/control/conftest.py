"""A bench with one emulated device of each kind but a server, and a program that knows its token."""

from collections.abc import Iterator

import httpx
import msgspec
import pytest

from authrig.control.open_bench import OpenBench
from authrig.control.running import ControlServer
from authrig.rig_file.entries import Device, RigFile

DEVICES = {
    "key": {"kind": "fido", "emulated": {}},
    "spare": {"kind": "fido", "emulated": {"profile": "yubikey-5.8", "seed": 3}},
    "token": {"kind": "qr-token", "emulated": {"seed": 7}},
    "gate": {"kind": "scanner", "emulated": {"seed": 8}},
    "eye": {"kind": "camera", "emulated": {"seed": 9}},
}


def rig_file_of(devices: dict[str, object]) -> RigFile:
    """A rig file with these devices, as TOML would say them."""
    return RigFile(version=1, devices=msgspec.convert(devices, dict[str, Device]))


@pytest.fixture
def bench() -> Iterator[OpenBench]:
    """The devices."""
    with OpenBench(rig_file_of(dict(DEVICES))) as bench:
        yield bench


@pytest.fixture
def server(bench: OpenBench) -> Iterator[ControlServer]:
    """Their API."""
    with ControlServer(bench) as server:
        yield server


@pytest.fixture
def program(server: ControlServer) -> Iterator[httpx.Client]:
    """Somebody who may do everything."""
    headers = {"Authorization": f"Bearer {server.guard.token}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=30) as client:
        yield client
