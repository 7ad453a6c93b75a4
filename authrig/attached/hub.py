"""A USB hub that switches the power of its sockets, through the command ``uhubctl``."""

import shutil
import subprocess

from authrig.errors import RigError

SECONDS = 15.0


class HubSocket:
    """One socket of the hub at ``location``, as ``uhubctl`` names them."""

    def __init__(self, location: str, port: int) -> None:
        self._location = location
        self._port = port

    def power_on(self) -> None:
        """Give power.

        Raises:
            RigError: if ``uhubctl`` is missing, or fails.
        """
        self._switch("on")

    def power_off(self) -> None:
        """Take power away.

        Raises:
            RigError: if ``uhubctl`` is missing, or fails.
        """
        self._switch("off")

    def _switch(self, state: str) -> None:
        program = shutil.which("uhubctl")
        if program is None:
            raise RigError("switching a USB hub needs uhubctl: apt-get install uhubctl")
        command = [program, "-l", self._location, "-p", str(self._port), "-a", state]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise RigError(f"{' '.join(command)} did not end within {SECONDS:g} s") from error
        if done.returncode:
            words = " ".join((done.stderr or done.stdout).split())
            raise RigError(f"{' '.join(command)} failed with exit code {done.returncode}: {words}")
