"""Makes the rig of a run from pytest's options, and keeps the evidence of a test."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from authrig.errors import LacksError, RigError
from authrig.rig_file.entries import Fido, RigFile
from authrig.rig_file.reading import DEFAULT, load_rig_file

if TYPE_CHECKING:
    from authrig.bench.terms import Terms
    from authrig.bench.tokens import LentToken
    from authrig.evidence.recorder import Recorder
    from authrig.hil.wants import Wants
    from authrig.ports.key import Key
    from authrig.ports.scanner import Scanner
    from authrig.rig import Rig

_RIG_FILE = pytest.StashKey[RigFile]()


def rig_file_of(config: pytest.Config) -> RigFile:
    """The rig file of the run, with what the command line says of it; read once.

    Raises:
        pytest.UsageError: if it is wrong.
    """
    if _RIG_FILE not in config.stash:
        path, transport = config.getoption("--rig"), config.getoption("--hil-transport")
        try:
            rig_file = DEFAULT if path is None else load_rig_file(path)
        except RigError as error:
            raise pytest.UsageError(str(error)) from error
        config.stash[_RIG_FILE] = rig_file if transport is None else _on_transport(rig_file, transport)
    return config.stash[_RIG_FILE]


def _on_transport(rig_file: RigFile, transport: str) -> RigFile:
    """The same, with every emulated key on this transport."""
    devices = {
        name: msgspec.structs.replace(entry, emulated=msgspec.structs.replace(entry.emulated, transport=transport))
        if isinstance(entry, Fido) and entry.emulated is not None
        else entry
        for name, entry in rig_file.devices.items()
    }
    return msgspec.structs.replace(rig_file, devices=devices)


def make_rig(config: pytest.Config, folder: Path, seed: int) -> "AbstractContextManager[Rig]":
    """The rig of this run, or of this worker of it: one bench of the file each, since devices cannot be shared."""
    from authrig.bench.clock import StandingClock  # noqa: PLC0415 - it imports the devices
    from authrig.rig import Rig  # noqa: PLC0415 - as above

    rig_file, mode = rig_file_of(config), config.getoption("--hil")
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    only = None
    if worker:
        number = int(re.sub(r"\D", "", worker) or 0)
        benches = tuple(rig_file.benches)
        if number < len(benches):
            only = benches[number]
        elif number or benches:
            # There is no bench left for this worker: it works with what is emulated.
            if mode == "attached":
                raise pytest.UsageError(f"worker {worker} has no bench: the rig file has {len(benches) or 'none'}")
            mode = "emulated"
    clock = StandingClock() if config.getoption("--hil-clock") == "simulated" else None
    return Rig(folder, seed, rig_file, mode, only=only, clock=clock)


def terms_of(wants: "Wants | None", config: pytest.Config) -> "Terms":
    """The terms on which a test gets its devices, however it asks for them."""
    from authrig.bench.terms import Terms  # noqa: PLC0415 - with the bench

    may_erase = bool(config.getoption("--hil-destructive-ok"))
    return Terms() if wants is None else Terms(wants.only, wants.destructive, may_erase)


def lend_keys(rig: "Rig", wants: "Wants | None") -> "list[Key]":
    """The keys that a test wants.

    Raises:
        LacksError: if the rig has none, or one cannot do what it should.
    """
    count = wants.count("fido") if wants is not None else 1
    profile = wants.profile if wants is not None else None
    named = None if wants is None else wants.named.get("fido")
    keys = (
        [cast("Key", rig.device(named))]
        if named is not None
        else [rig.new_key(f"key {number}", profile) for number in range(1, count + 1)]
    )
    wanted = _wanted_of(wants, "fido")
    for key in keys if wanted else ():
        _check_capable("fido", wanted, key.capabilities(), "the key that was lent")
    return keys


def lend_qr_token(rig: "Rig", wants: "Wants | None", serial: str = "QT1-00000001") -> "LentToken":
    """A QR token that can do what a test wants.

    Raises:
        LacksError: if the rig has none, or it cannot.
    """
    lent = rig.bench.qr_token(serial, None if wants is None else wants.named.get("qr-token"))
    _check_capable("qr-token", _wanted_of(wants, "qr-token"), lent.port.capabilities(), lent.port.name)
    return lent


def lend_scanner(rig: "Rig", wants: "Wants | None") -> "Scanner":
    """The scanner that a test wants.

    Raises:
        LacksError: if the rig has none, or it cannot do what it should.
    """
    named = None if wants is None else wants.named.get("scanner")
    scanner = rig.scanner if named is None else cast("Scanner", rig.device(named))
    _check_capable("scanner", _wanted_of(wants, "scanner"), scanner.capabilities(), named or "the one that was lent")
    return scanner


def _wanted_of(wants: "Wants | None", kind: str) -> frozenset[str]:
    """What a device of a kind should be able to do."""
    return frozenset(word for wanted, _, words in (wants.kinds if wants else ()) if wanted == kind for word in words)


def _check_capable(kind: str, wanted: frozenset[str], can: frozenset[str], device: str) -> None:
    if lacking := wanted - can:
        raise LacksError(f"wants {kind} with {', '.join(sorted(lacking))}, which {device} has not")


def keep_evidence(
    recorder: "Recorder", audit: list[dict[str, Any]], item: pytest.Item, config: pytest.Config, seed: int
) -> None:
    """Write what a test's devices did into a folder of its own, and name it in the report."""
    from authrig.evidence.folder import command_line, folder_name, keep  # noqa: PLC0415 - with the recorder

    folder = config.getoption("--hil-artifacts") / folder_name(item.nodeid)
    about = {
        "seed": seed,
        "mode": config.getoption("--hil"),
        "clock": config.getoption("--hil-clock"),
        "rig": msgspec.to_builtins(rig_file_of(config)),
        "command": command_line(),
    }
    try:
        keep(recorder, folder, item.nodeid, about, audit)
    except RigError as error:
        item.add_report_section("teardown", "authrig", f"evidence could not be kept: {error}")
        return
    item.add_report_section("teardown", "authrig", f"evidence: {folder}")
    item.user_properties.append(("authrig-evidence", str(folder)))
