"""Sets the USB desk up, runs a command, and puts the desk away: ``python -m tests.vm.desk DIR COMMAND...``, in the guest.

All that goes over USB meanwhile is captured in DIR/usb.pcapng; the exit code is the command's.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.vm.conftest import run, wait_for
from tests.vm.desk.devices import plugged_in

MOST_BYTES = 512
"""Of a packet that are kept: reports and lines are shorter, pictures are none of a capture's business."""


@contextmanager
def captured(file: Path) -> Iterator[None]:
    """Within it all USB traffic is written to ``file``, as the kernel's usbmon sees it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    words = ["dumpcap", "-q", "-i", "usbmon0", "-s", str(MOST_BYTES), "-w", str(file)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as dumpcap:
        try:
            wait_for(lambda: file.exists() and file.stat().st_size)
            yield
        finally:
            dumpcap.send_signal(signal.SIGINT)


def main(folder: Path, command: list[str]) -> int:
    """The exit code of ``command``."""
    run("rmmod", "vivid")  # the kernel's own test camera stands on no desk
    with captured(folder / "usb.pcapng"), plugged_in():
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
