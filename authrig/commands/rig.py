"""``authrig rig``: the rig file, and what is attached to this machine."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authrig.rig_file.entries import RigFile


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "rig", help="a bench of devices: its file, and the bench itself, up on a page or in a terminal"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say whether a rig file is right; exit code 2 with sentences if not")
    check.add_argument("file", type=Path, metavar="FILE", help="the rig file")
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
    _add_up(actions)
    _add_top(actions)


def _add_up(actions: Any) -> None:
    up = actions.add_parser(
        "up",
        help="have the devices of a rig file up: on a page, and over HTTP",
        description="Plugs every emulated device in, and serves a page and an API on 127.0.0.1 until interrupted. Emulated "
        "devices are test devices: what they keep protects nothing.",
    )
    _add_bench(up)
    up.add_argument(
        "--port",
        type=int,
        default=8490,
        metavar="N",
        help="of the page and the API; 0 takes a free one (default: 8490)",
    )
    up.add_argument("--json", action="store_true", help="say where everything is as one line of JSON")
    up.set_defaults(run=_up)


def _add_top(actions: Any) -> None:
    top = actions.add_parser("top", help="the same in a terminal; or look at a bench that is up, with --url")
    _add_bench(top)
    top.add_argument(
        "--url",
        metavar="URL",
        help="of a bench that is up, such as http://127.0.0.1:8490; its token stands in the variable AUTHRIG_RIG_TOKEN",
    )
    top.set_defaults(run=_top)


def _add_bench(parser: Any) -> None:
    parser.add_argument(
        "--rig", type=Path, metavar="FILE", help="the rig file; without one, one device of each kind, emulated"
    )
    parser.add_argument(
        "--touch",
        choices=("auto", "hand"),
        default="hand",
        help="emulated keys are touched as soon as they ask, or by you (default: %(default)s)",
    )


def _check(args: argparse.Namespace) -> int:
    import msgspec

    from authrig.errors import RigError
    from authrig.rig_file.models import model_mistakes
    from authrig.rig_file.reading import load_rig_file

    rig_file = load_rig_file(args.file)
    # Whoever loads the file does without such a device, and with the others.
    mistakes = [
        f"devices.{name}.{each}" for name, device in rig_file.devices.items() for each in model_mistakes(device)
    ]
    if mistakes:
        raise RigError("\n".join(f"the rig file {args.file} is wrong: {mistake}" for mistake in mistakes))
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


def _up(args: argparse.Namespace) -> int:
    from authrig.control.running import rig_up

    rig_up(_rig_file(args.rig), args.port, automatic=args.touch == "auto", as_json=args.json)
    return 0


def _top(args: argparse.Namespace) -> int:
    from authrig.control.top import look_at, top

    if args.url is None:
        top(_rig_file(args.rig), automatic=args.touch == "auto")
    else:
        look_at(args.url)
    return 0


def _rig_file(path: Path | None) -> "RigFile":
    from authrig.rig_file.reading import DEFAULT, load_rig_file

    return DEFAULT if path is None else load_rig_file(path)


def _print_json(document: object) -> int:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
