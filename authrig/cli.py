"""The ``authrig`` command line.

Each command lives in its own module under ``authrig.commands`` and imports what it runs only when it runs, so that
``authrig --help`` answers at once.

Exit codes: 0 it did what it should, 1 it ran and something was not as it should be, 2 it could not run (the sentence on
standard error says why), 130 interrupted.
"""

import argparse
import errno
import io
import os
import sys
from importlib.metadata import version

from authrig.commands import (
    audit,
    cameras,
    compare,
    demo,
    doctor,
    key,
    reader,
    rig,
    scan,
    serve,
    test,
    token,
    vm,
    webcam,
)
from authrig.errors import RigError

COMMANDS = (demo, test, compare, serve, audit, scan, cameras, key, token, webcam, reader, rig, vm, doctor)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="authrig",
        description="Authentication devices as software: a QR token, a FIDO security key, a QR scanner, and a server.",
    )
    parser.add_argument("--version", action="version", version=f"authrig {version('authrig')}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line ``argv`` (the process's own by default); returns the exit code."""
    _write_anything()
    try:
        return _run(argv)
    except RigError as error:
        sys.stderr.write(f"authrig: {error}\n")
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough (`authrig scan ... | head`).
        _drop_output()
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _drop_output()
        sys.stderr.write(f"authrig: {error.filename or 'the output'} cannot be written: {error.strerror}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _write_anything() -> None:
    """Names of files may be no text, and a terminal may know few characters: those are escaped, as on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _run(argv: list[str] | None) -> int:
    """The same; what was said has been written when this returns, or is known not to have been."""
    try:
        args = build_parser().parse_args(argv)
        code = int(args.run(args))
    except SystemExit:
        _write_out()
        raise
    _write_out()
    return code


def _write_out() -> None:
    """Python itself would try this at its exit, and complain of a reader that is gone."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _drop_output() -> None:
    """What is still unwritten goes nowhere."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
