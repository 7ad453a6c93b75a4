"""``authrig key``: emulated FIDO security keys, as files and as devices that tools open."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from authrig.commands.arguments import address

DEFAULT_PROFILE = "authrig-2.3"
TRANSPORTS = ("pty", "tcp", "uhid", "usbip", "smartcard")


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("key", help="emulated FIDO security keys")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_new(actions)
    _add_run(actions)
    _add_readers(actions)


def _add_new(actions: Any) -> None:
    new = actions.add_parser("new", help="make a key, in a file")
    new.add_argument("file", type=Path, metavar="FILE", help="where; never overwritten")
    new.add_argument("--profile", default=DEFAULT_PROFILE, metavar="NAME", help="which product (default: %(default)s)")
    new.add_argument(
        "--seed", type=int, metavar="N", help="make its secrets repeatable, for tests: anyone can predict them"
    )
    new.set_defaults(run=_new)


def _add_run(actions: Any) -> None:
    run = actions.add_parser(
        "run",
        aliases=["pty"],  # a new key on a pseudo-terminal: what most who type it for the first time want
        help="plug keys in and print where a host finds them",
        description="Serves the keys until interrupted. With the transport pty it prints paths that libfido2's tools take "
        "for security keys (fido2-token -I PATH). They are test devices: what they keep protects nothing.",
    )
    run.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="keys; without any, one that forgets everything"
    )
    run.add_argument(
        "--profile", metavar="NAME", help=f"which product, for a key without a file (default: {DEFAULT_PROFILE})"
    )
    run.add_argument(
        "--transport", choices=TRANSPORTS, default="pty", help="how they are plugged in (default: %(default)s)"
    )
    run.add_argument(
        "--listen",
        type=address,
        default=("127.0.0.1", None),
        metavar="HOST:PORT",
        help="for tcp: where the first key listens, the others at the ports after it; for usbip: where all do "
        "(default: on loopback, a free port for each, and 3240 for usbip)",
    )
    run.add_argument(
        "--reader-address",
        type=address,
        default=("127.0.0.1", 35963),
        metavar="HOST:PORT",
        help="for smartcard: where the reader (pcscd's Virtual PCD) waits for the first card; the second goes to the "
        "port after it (default: 127.0.0.1:35963)",
    )
    _add_hands_and_eyes(run)
    run.set_defaults(run=_run)


def _add_hands_and_eyes(run: argparse.ArgumentParser) -> None:
    """Who touches the keys, and who sees what they say."""
    run.add_argument(
        "--touch",
        choices=("auto", "hand"),
        help="auto: touched as soon as they ask; hand: by each line on standard input, or over the control API "
        "(default: auto, with --control hand)",
    )
    run.add_argument(
        "--control", type=int, metavar="PORT", help="serve the control API on 127.0.0.1:PORT; 0 takes a free port"
    )
    run.add_argument("--traffic", action="store_true", help="show the decoded traffic on standard error")
    run.add_argument(
        "--capture",
        type=Path,
        metavar="FILE.pcapng",
        help="write all that goes over the wires into FILE, for Wireshark; `authrig key dissector` helps to read it",
    )


def _add_readers(actions: Any) -> None:
    dissector = actions.add_parser(
        "dissector", help="print the path of the script with which Wireshark shows CTAPHID (-X lua_script:PATH)"
    )
    dissector.set_defaults(run=_dissector)
    info = actions.add_parser("info", help="what a key says about itself")
    info.add_argument("source", metavar="KEY", help="a key file, a profile, or a device such as /dev/hidraw0")
    info.set_defaults(run=_info)
    export = actions.add_parser(
        "export-attestation",
        help="what a relying party must trust: the key's test CA and a metadata statement",
        description="Writes root.pem, batch.pem, enterprise.pem and metadata.json (FIDO Metadata Statement 3.0) into DIR.",
    )
    export.add_argument("file", type=Path, metavar="FILE", help="the key")
    export.add_argument("folder", type=Path, metavar="DIR", help="where the files go; made if it is not there")
    export.set_defaults(run=_export_attestation)
    listed = actions.add_parser("list", help="the credentials in a key file, without their private keys")
    listed.add_argument("file", type=Path, metavar="FILE", help="the key")
    listed.set_defaults(run=_list)
    profiles = actions.add_parser("profiles", help="the products that a key can be")
    profiles.set_defaults(run=_profiles)
    diff = actions.add_parser("diff", help="how two keys differ in what they say; exit code 1 if they do")
    for name in ("first", "second"):
        diff.add_argument(name, metavar="KEY", help="a key file, a profile, or a device such as /dev/hidraw0")
    diff.set_defaults(run=_diff)
    for parser in (info, listed, profiles, diff):
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _new(args: argparse.Namespace) -> int:
    from authrig.keys.key_file import KeyFile

    KeyFile.create(args.file, args.profile, args.seed).close()
    return 0


def _run(args: argparse.Namespace) -> int:
    from authrig.keys.running import RunOptions, run_keys
    from authrig.keys.wires import Listen

    by_hand = args.touch == "hand" or (args.touch is None and args.control is not None)
    run_keys(
        RunOptions(
            files=args.files,
            profile=args.profile,
            transport=args.transport,
            listen=Listen(*args.listen),
            reader_address=args.reader_address,
            by_hand=by_hand,
            control_port=args.control,
            traffic=args.traffic,
            capture=args.capture,
        )
    )
    return 0


def _dissector(_: argparse.Namespace) -> int:
    from importlib.resources import files

    sys.stdout.write(f"{files('authrig.captures') / 'ctaphid.lua'}\n")
    return 0


def _info(args: argparse.Namespace) -> int:
    from authrig.keys.description import describe_source

    info = describe_source(args.source)
    if args.json:
        return _print_json(info)
    for member, value in info.items():
        sys.stdout.write(f"{member}: {_readable(value)}\n")
    return 0


def _list(args: argparse.Namespace) -> int:
    from authrig.keys.credential_list import list_credentials

    credentials = list_credentials(args.file)
    if args.json:
        return _print_json(credentials)
    for credential in credentials:
        user = credential["user"] or {}
        who = user.get("name") or user.get("id") or "?"
        sys.stdout.write(f"{credential['rp_id']}  {who}  {credential['algorithm']}  {credential['id']}\n")
    return 0


def _export_attestation(args: argparse.Namespace) -> int:
    from authrig.keys.attestation_export import export_attestation

    for path in export_attestation(args.file, args.folder):
        sys.stdout.write(f"{path}\n")
    return 0


def _profiles(args: argparse.Namespace) -> int:
    from emulators.fido_authenticator.profile import load, names

    profiles = [load(name) for name in names()]
    if args.json:
        return _print_json(
            [
                {"name": profile.name, "description": profile.description, "source": profile.source}
                for profile in profiles
            ]
        )
    width = max(len(profile.name) for profile in profiles)
    for profile in profiles:
        sys.stdout.write(f"{profile.name:{width}}  {profile.description}\n")
    return 0


def _diff(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from authrig.keys.description import describe_source, differences

    found = differences(describe_source(args.first), describe_source(args.second))
    if args.json:
        _print_json([asdict(difference) for difference in found])
    for difference in () if args.json else found:
        sys.stdout.write(f"{difference.member}: {_readable(difference.first)} | {_readable(difference.second)}\n")
    return 1 if found else 0


def _readable(value: object) -> str:
    match value:
        case None:
            return "(absent)"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_readable, value))
        case dict():
            return ", ".join(f"{name}={_readable(entry)}" for name, entry in value.items())
        case _:
            return str(value)


def _print_json(document: object) -> int:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
