"""The terms on which a bench lends its devices to one test."""

from dataclasses import dataclass
from typing import Literal

from authrig.errors import LacksError


@dataclass(frozen=True, slots=True)
class Terms:
    """What a borrower says of itself; by default it takes any device, and erases none.

    ``end`` is the only one that it wants. ``erases`` is said before anything is erased, and ``may_erase`` whether whoever
    runs it allows that; the rig file has to allow it for each attached device as well.
    """

    end: Literal["emulated", "attached"] | None = None
    erases: bool = False
    may_erase: bool = False

    def check_spared(self, device: str, *, destructive: bool) -> None:
        """Refuse an attached device that must not be erased to a borrower that erases it.

        Raises:
            LacksError: says what would allow it.
        """
        if self.erases and not (self.may_erase and destructive):
            raise LacksError(
                f"erases {device}, for which it wants destructive = true in the rig file and --hil-destructive-ok"
            )
