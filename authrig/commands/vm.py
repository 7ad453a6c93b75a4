"""``authrig vm``: a Debian kernel in QEMU, for real device nodes on a machine that has none."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("vm", help="run a command under a Debian kernel in QEMU")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="where kernels are kept (default: in the user's cache)"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    prepare = actions.add_parser("prepare", help="download and unpack Debian's kernel, once")
    prepare.set_defaults(run=_prepare)
    run = actions.add_parser("run", help="boot, run a command, power off")
    run.add_argument(
        "--shared", type=Path, default=Path("out/vm"), metavar="DIR", help="the folder that the guest may write"
    )
    run.add_argument(
        "--timeout", type=float, default=600.0, metavar="SECONDS", help="give up after this (default: 600)"
    )
    run.add_argument("--cpus", type=int, default=2, metavar="N", help="processors of the guest (default: 2)")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what to run in the guest")
    run.set_defaults(run=_run)


def _prepare(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from authrig.vm.kernel import default_cache, prepare_kernel

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("looking for a kernel", total=None)
        kernel = prepare_kernel(args.cache or default_cache(), lambda step: progress.update(task, description=step))
        progress.update(task, description="ready")
    sys.stdout.write(f"{kernel.release}\n")
    return 0


def _run(args: argparse.Namespace) -> int:
    from authrig.errors import RigError
    from authrig.vm.kernel import default_cache, find_kernel
    from authrig.vm.machine import Job, run_in_guest

    command = args.arguments[1:] if args.arguments[:1] == ["--"] else args.arguments
    if args.cpus < 1:
        raise RigError(f"--cpus: expected at least one processor, found {args.cpus}")
    if not command:
        raise RigError("authrig vm run needs a command: authrig vm run -- fido2-token -L")
    try:
        args.shared.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RigError(f"cannot make the shared folder {args.shared}: {error.strerror}") from error
    if not os.access(args.shared, os.W_OK):
        raise RigError(f"the shared folder {args.shared} may not be written by this user: choose another with --shared")
    job = Job(
        command,
        args.shared,
        args.shared / "console.log",
        timeout=args.timeout,
        cpus=args.cpus,
        environment=_passed_on(os.environ),
    )

    def show(printed: bytes) -> None:
        sys.stdout.buffer.write(printed)
        sys.stdout.buffer.flush()

    # SIGTERM ends QEMU as Ctrl-C does; by default it would outlive its parent.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return run_in_guest(find_kernel(args.cache or default_cache()), job, show)


def _passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the guest gets from here: how to print, and what is the rig's own."""
    own = {name: value for name, value in environment.items() if name.startswith("AUTHRIG_")}
    return {"TERM": environment.get("TERM", "dumb") if sys.stdout.isatty() else "dumb", **own}
