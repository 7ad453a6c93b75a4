"""``authrig serve``: the verification server, until it is interrupted."""

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("serve", help="run the verification server")
    parser.add_argument("--data", type=Path, default=Path("out/server"), metavar="DIR", help="where the databases live")
    parser.add_argument("--port", type=int, default=8480, help="public port; 0 takes a free one (default: 8480)")
    parser.add_argument("--internal-port", type=int, default=8481, help="administration and approvals (default: 8481)")
    parser.add_argument("--cloud-port", type=int, default=8482, help="verification cloud (default: 8482)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    raise NotImplementedError
