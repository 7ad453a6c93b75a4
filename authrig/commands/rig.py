"""``authrig rig``: the rig file, and what is attached to this machine."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("rig", help="the rig file: check it, or write one from what is attached")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say whether a rig file is right; exit code 2 with sentences if not")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--json", action="store_true", help="the devices as one JSON document")
    check.set_defaults(run=_check)
    scan = actions.add_parser(
        "scan",
        help="list what is attached, as the beginning of a rig file",
        description="Writes a rig file with an entry for each attached device, and an emulated one of each other kind.",
    )
    scan.add_argument("--json", action="store_true", help="what is attached, as one JSON document")
    scan.add_argument(
        "--output", type=Path, metavar="FILE", help="write there; never overwritten (default: to standard output)"
    )
    scan.set_defaults(run=_scan)
    schema = actions.add_parser("schema", help="print the JSON Schema of the rig file, for editors")
    schema.set_defaults(run=_schema)


def _check(args: argparse.Namespace) -> int:
    import msgspec

    from authrig.rig_file.reading import load_rig_file

    rig_file = load_rig_file(args.file)
    if args.json:
        return _print_json(msgspec.to_builtins(rig_file))
    for name, device in rig_file.devices.items():
        sys.stdout.write(f"{name}: {device.__struct_config__.tag}, {'emulated' if device.emulated else 'attached'}\n")
    return 0


def _scan(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from authrig.attached.inventory import inventory
    from authrig.errors import RigError
    from authrig.rig_file.writing import first_rig_file

    found = inventory()
    if args.json:
        return _print_json([{**asdict(one), "node": str(one.node)} for one in found])
    text = first_rig_file(found)
    if args.output is None:
        sys.stdout.write(text)
        return 0
    try:
        with args.output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RigError(f"{args.output} exists already; name another file, or remove it") from error
    except OSError as error:
        raise RigError(f"cannot write {args.output}: {error.strerror}") from error
    return 0


def _schema(args: argparse.Namespace) -> int:
    from authrig.rig_file.schema import json_schema

    del args
    return _print_json(json_schema())


def _print_json(document: object) -> int:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
