"""Takes values off the front of a byte string, and says where it was cut."""

from typing import Literal


class Reader:
    """What is left of ``data``, which error sentences call ``name``. Refusals are raised as ``damaged``."""

    def __init__(self, name: str, data: bytes, damaged: type[ValueError]) -> None:
        self._name = name
        self._rest = data
        self._damaged = damaged

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count > len(self._rest):
            raise self._damaged(f"the {self._name} is cut: expected {count} bytes more, found {len(self._rest)}")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def number(self, size: int = 1, order: Literal["big", "little"] = "big") -> int:
        """The next number of ``size`` bytes."""
        return int.from_bytes(self.take(size), order)

    def text_after_length(self) -> str:
        """The next text: its length in one byte, then UTF-8."""
        return self._decode("text", self.take(self.number()))

    def text_before_zero(self, name: str, most: int) -> str:
        """The next text, called ``name``, which has up to ``most`` bytes of UTF-8 and ends with a zero byte."""
        end = self._rest.find(b"\0", 0, most + 1)
        if end < 0:
            raise self._damaged(f"the {name} has up to {most} bytes and a zero byte after them, found none")
        return self._decode(name, self.take(end + 1)[:-1])

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._rest))

    def end(self) -> None:
        """Nothing may be left."""
        if self._rest:
            raise self._damaged(f"the {self._name} ends here: expected no bytes more, found {len(self._rest)}")

    def _decode(self, name: str, data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._damaged(f"the {name} is not UTF-8: {error.reason}") from None
