"""Taps that show a key's traffic on standard error, and several taps as one."""

import sys
from collections.abc import Callable, Sequence

from authrig.captures.comments import ApduComments
from authrig.evidence.ctap_lines import CtapTranscript
from emulators.fido_authenticator.ctaphid import Direction

Tap = Callable[[Direction, bytes], None]
"""Sees each report, or each APDU, in the order in which the key does."""

_SHOWN_BYTES = 32


def show_reports() -> Tap:
    """A tap that prints each decoded message as soon as it is whole."""
    transcript = CtapTranscript()

    def show(direction: Direction, report: bytes) -> None:
        transcript.add(direction, report)
        sys.stderr.writelines(f"{line}\n" for line in transcript.take_lines())

    return show


def show_apdus() -> Tap:
    """A tap that prints each APDU in hexadecimal, behind its name."""
    comments = ApduComments()

    def show(direction: Direction, apdu: bytes) -> None:
        arrow = "host → key " if direction == "to_key" else "key → host "
        shown = apdu.hex() if len(apdu) <= _SHOWN_BYTES else f"{apdu[:24].hex()}…{apdu[-4:].hex()} ({len(apdu)} bytes)"
        sys.stderr.write(f"{arrow} {comments.comment(direction, apdu) or ''} {shown}\n".replace("  ", " "))

    return show


def together(taps: Sequence[Tap]) -> Tap | None:
    """One tap for all of ``taps``; None for none, as a key that nobody looks at is faster."""
    if len(taps) < 2:
        return taps[0] if taps else None

    def tap(direction: Direction, data: bytes) -> None:
        for each in taps:
            each(direction, data)

    return tap
