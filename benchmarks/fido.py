"""The security key beside the arithmetic, and the wire, that it cannot do without."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.hid import CTAPHID, CtapHidDevice
from fido2.hid.base import HidDescriptor
from fido2.hid.linux import open_connection

from benchmarks.harness import Row
from emulators.env import Env
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import REPORT_BYTES

CLIENT_DATA_HASH = bytes(32)
RP_ID = "localhost"
_RUN = [str(Path(sys.executable).with_name("authrig")), "key", "run"]

MAKE_CREDENTIAL = bytes([0x01]) + cbor.encode(
    {
        1: CLIENT_DATA_HASH,
        2: {"id": RP_ID, "name": RP_ID},
        3: {"id": b"user", "name": "user"},
        4: [{"type": "public-key", "alg": -7}],
    }
)


@contextmanager
def rows() -> Iterator[list[Row]]:
    """From the bytes of a request to those of the answer: in this process, and through a pseudo-terminal."""
    with ExitStack() as opened:
        yield [*_in_process(), *_on_pty(opened), _cold_start()]


def _in_process() -> list[Row]:
    authenticator = Authenticator(Env.real())
    authenticator_data, get_assertion = _credential(lambda request: _run(authenticator, request))
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    signed = authenticator_data[:37] + CLIENT_DATA_HASH
    return [
        Row(
            "getAssertion, in process",
            "bare P-256 signature",
            lambda: _run(authenticator, get_assertion),
            lambda: key.sign(signed, algorithm),
            target=4,
            batch=200,
        ),
        Row(
            "makeCredential, in process",
            "bare P-256 key generation and signature",
            lambda: _run(authenticator, MAKE_CREDENTIAL),
            lambda: ec.generate_private_key(ec.SECP256R1()).sign(signed, algorithm),
            target=5,
            batch=200,
        ),
    ]


def _on_pty(opened: ExitStack) -> list[Row]:
    """A key in a process of its own, as a host has it, and python-fido2's ``CtapHidDevice.call`` in this one."""
    device = _open(opened)
    _, get_assertion = _credential(lambda request: _call(device, request))

    def row(name: str, request: bytes, target: float) -> Row:
        return Row(
            name,
            "PING of 8 bytes on the same wire",
            lambda: _call(device, request),
            lambda: device.call(CTAPHID.PING, b"benchmrk"),
            target=target,
            batch=50,
        )

    # Targets: 0.6 and 0.8 ms where PING takes 0.09 ms.
    return [
        row("getAssertion, on a PTY", get_assertion, 6.7),
        row("makeCredential, on a PTY", MAKE_CREDENTIAL, 8.9),
    ]


def _open(opened: ExitStack) -> CtapHidDevice:
    key = opened.enter_context(subprocess.Popen(_RUN, stdout=subprocess.PIPE, text=True))
    opened.callback(key.terminate)
    assert key.stdout is not None
    path = key.stdout.readline().strip()
    descriptor = HidDescriptor(path, 0, 0, REPORT_BYTES, REPORT_BYTES, None, None)
    device = CtapHidDevice(descriptor, open_connection(descriptor))  # type: ignore[no-untyped-call] # untyped there
    opened.callback(device.close)
    return device


def _cold_start() -> Row:
    """From nothing to a path that a host can open: at most half a second where a bare interpreter takes 0.02 s."""
    return Row(
        "authrig key run, until it is ready",
        "start of a bare interpreter",
        _start_and_stop,
        lambda: subprocess.run([sys.executable, "-I", "-c", ""], check=True),
        target=25,
        rounds=7,
    )


def _start_and_stop() -> None:
    with subprocess.Popen(_RUN, stdout=subprocess.PIPE, text=True) as key:
        assert key.stdout is not None
        assert key.stdout.readline().startswith("/dev/")
        key.kill()


def _credential(ask: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """A new credential's authenticator data, and a getAssertion request for it."""
    made = cbor.decode(ask(MAKE_CREDENTIAL))
    assert isinstance(made, dict)
    authenticator_data = made[2]
    assert isinstance(authenticator_data, bytes)
    credential_id = authenticator_data[55 : 55 + int.from_bytes(authenticator_data[53:55])]
    parameters = {1: RP_ID, 2: CLIENT_DATA_HASH, 3: [{"type": "public-key", "id": credential_id}]}
    return authenticator_data, bytes([0x02]) + cbor.encode(parameters)


def _run(authenticator: Authenticator, request: bytes) -> bytes:
    """The CBOR of the answer to ``request``."""
    answer = authenticator.start(request).answer
    assert answer is not None
    return _checked(answer)


def _call(device: CtapHidDevice, request: bytes) -> bytes:
    return _checked(device.call(CTAPHID.CBOR, request))


def _checked(answer: bytes) -> bytes:
    assert answer[0] == 0, f"the key answered 0x{answer[0]:02x}"
    return answer[1:]
