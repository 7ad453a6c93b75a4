"""``authrig serve``: the verification server, until it is interrupted."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authrig.errors import RigError

if TYPE_CHECKING:
    from server_stub.run import RunningServer


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("serve", help="run the verification server")
    parser.add_argument("--data", type=Path, default=Path("out/server"), metavar="DIR", help="where the databases live")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings in TOML; what it names wins over these options"
    )
    parser.add_argument("--port", type=int, default=8480, help="public port; 0 takes a free one (default: 8480)")
    parser.add_argument("--internal-port", type=int, default=8481, help="administration and approvals (default: 8481)")
    parser.add_argument("--cloud-port", type=int, default=8482, help="verification cloud (default: 8482)")
    parser.add_argument(
        "--database",
        default="",
        metavar="URL",
        help="PostgreSQL instead of SQLite files, such as postgresql://authrig@localhost/authrig",
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="how many processes serve; more than one need --database"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    from server_stub.errors import ServerError
    from server_stub.run import serve
    from server_stub.settings import Settings
    from server_stub.settings_file import load_settings

    options = {
        "data_dir": args.data,
        "public_port": args.port,
        "internal_port": args.internal_port,
        "cloud_port": args.cloud_port,
        "database_url": args.database,
        "workers": args.workers,
    }
    if args.workers < 1:
        raise RigError(f"--workers is {args.workers}, expected 1 or more")
    try:
        settings = Settings(**options) if args.config is None else load_settings(args.config, **options)
        serve(settings, partial(_tell, before=_files(settings.data_dir)))
    except ServerError as error:
        raise RigError(str(error)) from error
    return 0


def _files(folder: Path) -> frozenset[str]:
    """What is in the folder for databases and keys, but for what SQLite takes away again."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return frozenset(name for name in names if not name.endswith(("-wal", "-shm")))


def _tell(server: "RunningServer", before: frozenset[str]) -> None:
    """Say where the server is, and what it has made. Its administration token is for whoever reads this terminal."""
    folder = server.settings.data_dir
    made = sorted(_files(folder) - before)
    sys.stdout.write(
        f"public    {server.public_url}  (OpenAPI at /openapi.json)\n"
        f"internal  {server.internal_url}  (administration at /admin/)\n"
        f"cloud     {server.cloud_url}\n"
        f"administration token  {server.admin_token}\n"
        f"pages     {server.origin}/\n"
    )
    if made:
        sys.stdout.write(f"made in {folder.resolve()}: {', '.join(made)}\n")
    sys.stdout.flush()
