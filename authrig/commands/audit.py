"""``authrig audit verify``: whether anybody changed what the server wrote down."""

import argparse
import sys
from pathlib import Path
from typing import Any

from authrig.errors import RigError


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("audit", help="check the audit log of the verification server")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify",
        help="follow the chain of the log from its first row to its last",
        description="Exit code 0: nothing was changed. 1: something was, and the sentence names the first row.",
    )
    verify.add_argument("--data", type=Path, default=Path("out/server"), metavar="DIR", help="where the databases live")
    verify.add_argument("--config", type=Path, metavar="FILE", help="the server's settings in TOML")
    verify.add_argument(
        "--kept", type=Path, metavar="FILE", help="what an earlier --json printed: shows rows that were cut off since"
    )
    verify.add_argument("--json", action="store_true", help="print one JSON document; it can be kept for --kept")
    verify.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check each log, and say what was found."""
    import msgspec

    from server_stub.audit_check import Checked, check
    from server_stub.errors import ServerError
    from server_stub.settings import Settings
    from server_stub.settings_file import load_settings

    try:
        options = {"data_dir": args.data}
        settings = Settings(**options) if args.config is None else load_settings(args.config, **options)
        kept = msgspec.json.decode(args.kept.read_bytes(), type=list[Checked]) if args.kept else []
        checked = check(settings, kept)
    except ServerError as error:
        raise RigError(str(error)) from error
    except OSError as error:
        raise RigError(f"cannot read {args.kept}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise RigError(f"{args.kept} is not what `authrig audit verify --json` printed: {error}") from error
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(checked)).decode() + "\n")
    else:
        sys.stdout.writelines(f"{each.sentence}\n" for each in checked)
    return 0 if all(each.intact for each in checked) else 1
