"""Keys that are killed in the middle of a command, at each statement that it sends to its file.

Run as a program, for the reasons of ``store_killing``. What a command writes is recorded once undisturbed: the file after
each of its commits. Killed anywhere, it must leave one of these, and the last one once it has answered.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from fido2.ctap import CtapError
from fido2.ctap2.config import Config
from fido2.webauthn import PublicKeyCredentialDescriptor, PublicKeyCredentialType, PublicKeyCredentialUserEntity

from emulators.fido_authenticator.sqlite_store import SqliteStore
from emulators.fido_authenticator.store import Change, dump
from tests.emulators.fido_authenticator.ctap_requests import GET_ASSERTION, RESET, assertion, call
from tests.emulators.fido_authenticator.pin_host import PERMISSION, PIN, PinHost

Run = Callable[[], object]
Contents = tuple[object, object]


def _credential(host: PinHost) -> PublicKeyCredentialDescriptor:
    (credential,) = host.authenticator.store.credentials("example.com")
    return PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=credential.id)


def _make(host: PinHost) -> Run:
    return lambda: host.register({"credBlob": b"blob", "prf": {}}, user=b"bob")


def _replace(host: PinHost) -> Run:
    return lambda: host.register(user=b"ada")


def _assert(host: PinHost) -> Run:
    return lambda: call(host.authenticator, GET_ASSERTION, assertion())


def _update(host: PinHost) -> Run:
    manager, known = host.manager(), _credential(host)
    return lambda: manager.update_user_info(known, PublicKeyCredentialUserEntity(id=b"ada", name="Ada"))


def _delete(host: PinHost) -> Run:
    manager, known = host.manager(), _credential(host)
    return lambda: manager.delete_cred(known)


def _write_blobs(host: PinHost) -> Run:
    blobs = host.blobs()
    return lambda: blobs.write_blob_array([{1: bytes(900)}])


def _wrong_pin(host: PinHost) -> Run:
    def enter() -> None:
        try:
            host.pin.get_pin_token("wrong PIN", PERMISSION.MAKE_CREDENTIAL, "example.com")
        except CtapError:
            return
        raise AssertionError("a wrong PIN was taken")

    return enter


def _right_pin(host: PinHost) -> Run:
    _wrong_pin(host)()
    return lambda: host.token(PERMISSION.CREDENTIAL_MGMT)


def _change_pin(host: PinHost) -> Run:
    return lambda: host.pin.change_pin(PIN, "another PIN")


def _configure(host: PinHost) -> Run:
    config = Config(host.ctap, host.protocol, host.token(PERMISSION.AUTHENTICATOR_CFG))
    return lambda: config.set_min_pin_length(6, ["example.com"], force_change_pin=True)


def _reset(host: PinHost) -> Run:
    return lambda: call(host.authenticator, RESET)


COMMANDS: dict[str, Callable[[PinHost], Run]] = {
    function.__name__.strip("_"): function
    for function in (
        _make,
        _replace,
        _assert,
        _update,
        _delete,
        _write_blobs,
        _wrong_pin,
        _right_pin,
        _change_pin,
        _configure,
        _reset,
    )
}


class _Recorder(SqliteStore):
    """Keeps the contents after each commit, and counts the statements in between."""

    def __init__(self, path: Path) -> None:
        self.states: list[Contents] = []
        self.statements = 0
        super().__init__(path)

    def watch(self) -> None:
        """Begin with the contents now."""
        self.states = [dump(self)]
        self._connection.set_trace_callback(self._tally)

    def _tally(self, sql: str) -> None:
        del sql
        self.statements += 1

    def commit(self, *changes: Change) -> None:
        """Make the changes, and look at what they made."""
        super().commit(*changes)
        self._connection.set_trace_callback(None)
        self.states.append(dump(self))
        self._connection.set_trace_callback(self._tally)


def undisturbed(path: Path, command: str) -> tuple[list[Contents], int]:
    """The contents before the command and after each of its commits, and how many statements it sends."""
    store = _Recorder(path)
    run = COMMANDS[command](PinHost(store=store))
    store.watch()
    run()
    store.close()
    return store.states, store.statements


def _die_at(store: SqliteStore, statement: int) -> None:
    seen = 0

    def count(sql: str) -> None:
        nonlocal seen
        del sql
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    store._connection.set_trace_callback(count)


def killed(path: Path, command: str, statement: int) -> bool:
    """Run the command in a process that dies at ``statement``; whether it had answered before."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        store = SqliteStore(path)
        run = COMMANDS[command](PinHost(store=store))
        _die_at(store, statement)
        run()
        os.write(writer, b"!")
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        answered = answers.read() == b"!"
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return answered


def check(folder: Path, command: str) -> int:
    """Kill ``command`` at each of its statements; returns how many kills there were."""
    prepared = folder / f"{command}.db"
    store = SqliteStore(prepared)
    PinHost(store=store).register({"largeBlob": {"support": "preferred"}})
    store.close()
    states, statements = undisturbed(Path(shutil.copy(prepared, folder / f"{command}-undisturbed.db")), command)
    assert len(states) > 1, f"{command} writes nothing"
    reached = 0
    for statement in range(statements + 1):
        path = Path(shutil.copy(prepared, folder / f"{command}-{statement}.db"))
        answered = killed(path, command, statement)
        again = SqliteStore(path)
        left = dump(again)
        again.close()
        assert left in states[reached:], f"{command}: statement {statement} leaves what no commit made, or undoes one"
        assert left == states[-1] or not answered, f"{command}: an answer was lost"
        # Contents can come back, as tries that are paid and given back do, but never before their time.
        reached = states.index(left, reached)
    assert reached == len(states) - 1, f"{command}: reached {reached} of {len(states) - 1} in {statements} statements"
    return statements + 1


if __name__ == "__main__":
    total = sum(check(Path(sys.argv[1]), command) for command in COMMANDS)
    sys.stdout.write(f"{total} kills survived")
