"""What is asked of a file before anything is taken from it."""

import os
from pathlib import Path
from typing import cast

from emulators.camera_scanner.frames import UnreadableFile


def for_opencv(path: Path) -> str:
    """The name of a file as OpenCV takes it: in bytes, since a text that is no UTF-8 ends the process."""
    return cast("str", os.fsencode(path))  # its stubs do not know that it takes bytes


def read_file(path: Path, most: int) -> bytes:
    """At most the first ``most`` bytes of the file at ``path``, at least one.

    Raises:
        UnreadableFile: if it is missing, forbidden, empty, or no file: a device or a pipe may never end.
    """
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFile(f"cannot read {path}: it is no file")
        with path.open("rb") as file:
            data = file.read(most)
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}") from error
    if not data:
        raise UnreadableFile(f"{path} is empty")
    return data
