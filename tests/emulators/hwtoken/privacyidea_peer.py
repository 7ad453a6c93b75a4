"""A privacyIDEA server in one process, driven by lines of JSON; run by the Python of its own virtual environment.

Each line in is ``{"path": ..., "data": {...}}``, posted as a form; each line out is the body of the answer. It lives in the
current directory, which is empty before.
"""

import contextlib
import json
import secrets
import subprocess
import sys
from pathlib import Path

ADMIN = {"username": "admin", "password": "test-only"}


def main() -> None:
    """Set up, then serve until the input ends."""
    here = Path.cwd()
    config = here / "pi.cfg"
    config.write_text(
        "SUPERUSER_REALM = ['super']\n"
        f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{here}/pi.sqlite'\n"
        f"SECRET_KEY = '{secrets.token_hex(16)}'\nPI_PEPPER = '{secrets.token_hex(16)}'\n"
        f"PI_ENCFILE = '{here}/enckey'\nPI_AUDIT_NO_SIGN = True\n"
        f"PI_LOGFILE = '{here}/pi.log'\nPI_LOGLEVEL = 40\n",
        "utf-8",
    )
    manage = str(Path(sys.executable).with_name("pi-manage"))
    for command in (
        ["setup", "create_enckey"],
        ["setup", "create_tables"],
        ["admin", "add", ADMIN["username"], "-p", ADMIN["password"]],
    ):
        environment = {"PRIVACYIDEA_CONFIGFILE": str(config), "PATH": "/usr/bin:/bin"}
        subprocess.run([manage, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
    with contextlib.redirect_stdout(sys.stderr):
        from privacyidea.app import create_app  # type: ignore[import-not-found] # noqa: PLC0415 - only there is it

        client = create_app(config_name="production", config_file=str(config), silent=True).test_client()
        token = client.post("/auth", data=ADMIN).get_json()["result"]["value"]["token"]
    for line in sys.stdin:
        request = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):
            answer = client.post(request["path"], data=request["data"], headers={"Authorization": token}).get_json()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
