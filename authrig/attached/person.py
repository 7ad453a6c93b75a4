"""A person at the bench, who is told what to do and types what was seen."""

from pathlib import Path
from typing import IO

from authrig.errors import RigError

TERMINAL = "/dev/tty"


class Person:
    """Whoever sits at the terminal that this process was started from, also when its output goes elsewhere.

    Args:
        keyboard: what is read in place of the terminal, for tests.
        screen: what is written to in its place.
    """

    def __init__(self, keyboard: IO[str] | None = None, screen: IO[str] | None = None) -> None:
        self._keyboard = keyboard
        self._screen = screen

    def tell(self, what: str) -> None:
        """Have something done; comes back at once.

        Raises:
            RigError: if there is no terminal.
        """
        self._screen = self._screen or _terminal("w")
        self._screen.write(f"\n>>> {what}\n")
        self._screen.flush()

    def have_done(self, what: str) -> None:
        """Have something done, and wait until Enter is pressed.

        Raises:
            RigError: if there is no terminal, or nobody at it.
        """
        self.ask(f"{what}, then press Enter")

    def ask(self, question: str) -> str:
        """What is typed, without blanks at its ends.

        Raises:
            RigError: if there is no terminal, or nobody at it.
        """
        self.tell(question)
        self._keyboard = self._keyboard or _terminal("r")
        answer = self._keyboard.readline()
        if not answer:
            raise RigError(f"nobody answered at the terminal: {question}")
        return answer.strip()


def _terminal(mode: str) -> IO[str]:
    """One end of the terminal; it stays open as long as the process."""
    try:
        return Path(TERMINAL).open(mode, encoding="utf-8")
    except OSError as error:
        raise RigError(
            f"this rig needs a person at a terminal, and there is none ({TERMINAL}: {error.strerror}); "
            "run it from one, or name a relay or a controller in the rig file"
        ) from error
