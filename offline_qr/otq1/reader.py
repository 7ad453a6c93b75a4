"""Takes values off the front of a byte string, and says where it was cut."""

from offline_qr.otq1.errors import Damaged


class Reader:
    """What is left of ``data``, which error sentences call ``name``."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._rest = data

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises Damaged where there are fewer."""
        if count > len(self._rest):
            raise Damaged(f"the {self._name} is cut: expected {count} bytes more, found {len(self._rest)}")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def number(self, size: int = 1) -> int:
        """The next big-endian number of ``size`` bytes. Raises Damaged."""
        return int.from_bytes(self.take(size))

    def text(self) -> str:
        """The next text: its length in one byte, then UTF-8. Raises Damaged."""
        try:
            return self.take(self.number()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Damaged(f"a text is not UTF-8: {error.reason}") from None

    def end(self) -> None:
        """Nothing may be left. Raises Damaged."""
        if self._rest:
            raise Damaged(f"the {self._name} ends here: expected no bytes more, found {len(self._rest)}")
