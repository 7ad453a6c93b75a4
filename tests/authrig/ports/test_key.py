import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fido2.ctap2.base import Ctap2
from fido2.server import Fido2Server
from fido2.webauthn import (
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from authrig.bench.bench import Bench, TooFewError
from authrig.errors import RigError
from authrig.evidence.recorder import Event, Exhibit, Traffic
from authrig.ports.key import Key, KeyRefused
from authrig.rig_file.entries import EmulatedFido, Fido, RigFile
from emulators.env import SeededRandom

ORIGIN = "https://example.ch"


@pytest.fixture
def exhibits() -> list[Exhibit]:
    """What the key handed over."""
    return []


@pytest.fixture(params=["in-process", "pty", "tcp"])
def bench(request: pytest.FixtureRequest, exhibits: list[Exhibit]) -> Iterator[Bench]:
    """A bench whose keys are on one of the wires."""
    fido = Fido(emulated=EmulatedFido(transport=request.param))
    with Bench(RigFile(version=1, devices={"key": fido}), SeededRandom(7), exhibits.append) as bench:
        yield bench


@pytest.fixture
def key(bench: Bench) -> Key:
    """A key."""
    return bench.key("alice's key")


def _register(server: Fido2Server, key: Key) -> tuple[Any, Any]:
    """Register at ``server``; returns its new credential and what it remembers of it."""
    user = PublicKeyCredentialUserEntity(id=b"alice", name="alice")
    options, state = server.register_begin(user, user_verification=UserVerificationRequirement.REQUIRED)
    made = key.make_credential(ORIGIN, dict(options.public_key))
    credential = server.register_complete(state, made).credential_data
    assert credential is not None
    return credential, state


def _log_in(server: Fido2Server, key: Key, credential: Any) -> None:
    options, state = server.authenticate_begin([credential], user_verification=UserVerificationRequirement.REQUIRED)
    server.authenticate_complete(state, [credential], key.get_assertion(ORIGIN, dict(options.public_key)))


def _server() -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(id="example.ch", name="Example"))


def test_registers_and_logs_in_on_each_wire(key: Key, exhibits: list[Exhibit]) -> None:
    """With PIN and touch; python-fido2's server is content, and the traffic is on record."""
    server = _server()
    credential, _ = _register(server, key)
    _log_in(server, key, credential)
    key.exhibit_traffic()
    (traffic,) = [exhibit for exhibit in exhibits if isinstance(exhibit, Traffic)]
    reports = [exhibit for exhibit in exhibits if isinstance(exhibit, Event)]
    assert {report.direction for report in reports} == {"to_device", "from_device"}
    assert {len(report.data) for report in reports} == {64}
    assert any("authenticatorGetAssertion" in line or "GET_ASSERTION" in line for line in traffic.lines)


def test_nobody_touches_a_key_whose_finger_is_held_back(key: Key) -> None:
    """It waits until it is touched."""
    with key.presence.held_back(), key.open() as device:
        done = threading.Event()

        def select() -> None:
            Ctap2(device).selection()
            done.set()

        thread = threading.Thread(target=select)
        thread.start()
        assert not done.wait(0.3)
        key.presence.touch()
        assert done.wait(10)
        thread.join()


def test_an_unplugged_key_is_not_there_and_comes_back_with_what_it_kept(key: Key) -> None:
    """As a real one."""
    server = _server()
    credential, _ = _register(server, key)
    key.unplug()
    with pytest.raises((RigError, OSError)):
        key.open()
    key.plug_in()
    _log_in(server, key, credential)


def test_a_key_without_the_credential_refuses(bench: Bench, key: Key) -> None:
    """Two keys of one bench are two keys, and a refusal carries the key's own word."""
    server = _server()
    credential, _ = _register(server, key)
    with pytest.raises(KeyRefused, match="NO_CREDENTIALS"):
        _log_in(server, bench.key("mallory's key"), credential)


def test_a_bench_without_keys_says_so() -> None:
    """In the mode that was asked for."""
    fido = Fido(emulated=EmulatedFido())
    with (
        Bench(RigFile(version=1, devices={"key": fido}), SeededRandom(7), lambda _: None, "attached") as bench,
        pytest.raises(TooFewError, match="too few attached keys: expected another for bob's, found 1 in all"),
    ):
        bench.key("bob's")


def test_a_profile_that_does_not_exist_is_a_sentence() -> None:
    """Named as the rig file has it."""
    fido = Fido(emulated=EmulatedFido(profile="yubikey-9"))
    with (
        Bench(RigFile(version=1, devices={"key": fido}), SeededRandom(7), lambda _: None) as bench,
        pytest.raises(RigError, match="yubikey-9"),
    ):
        bench.key("bob's")
