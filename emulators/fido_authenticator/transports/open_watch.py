"""Notice programs that open and close a file, with Linux's inotify."""

import ctypes
import os
import struct

_IN_CLOSE = 0x08 | 0x10
_IN_OPEN = 0x20
_IN_NONBLOCK, _IN_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_EVENT = struct.Struct("iIII")


class OpenWatch:
    """Watches ``path`` from now on; ``descriptor`` can be polled.

    Raises:
        OSError: if the path does not exist, or the user has all inotify instances in use.
    """

    def __init__(self, path: str) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self._call("inotify_init1", _IN_NONBLOCK | _IN_CLOEXEC)
        try:
            self._call("inotify_add_watch", self.descriptor, os.fsencode(path), _IN_OPEN | _IN_CLOSE)
        except OSError:
            os.close(self.descriptor)
            raise

    def _call(self, name: str, *arguments: int | bytes) -> int:
        result = int(self._libc[name](*arguments))
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)} (see sysctl fs.inotify.max_user_instances)")
        return result

    def read(self) -> list[bool]:
        """What has happened since the last call, in order: True for an open, False for a close."""
        try:
            data = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return []
        happened, at = [], 0
        while at < len(data):
            _, mask, _, name_bytes = _EVENT.unpack_from(data, at)
            at += _EVENT.size + name_bytes
            if mask & (_IN_OPEN | _IN_CLOSE):
                happened.append(bool(mask & _IN_OPEN))
        return happened

    def close(self) -> None:
        """Stop watching."""
        os.close(self.descriptor)
