"""Demo messages (type 5): fields that nobody sealed, to try a camera and a display. No code ever answers one.

``message = header | body``: the body of a challenge, in the clear. A key id of four zero bytes stands for any token.
A device shows such a message only where it is set to, and says on every page that nobody vouches for it.
"""

from dataclasses import dataclass

from offline_qr.otq1 import envelope
from offline_qr.otq1.body import Field, check_for_sending, pack_fields, parse_body
from offline_qr.otq1.errors import NotEncodable
from offline_qr.otq1.header import Header, MessageType


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo shows.

    Raises:
        NotEncodable: the header is of another type, or the fields break a rule that concerns all of them together.
    """

    header: Header
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        if self.header.type is not MessageType.DEMO:
            raise NotEncodable(f"a demo has type {MessageType.DEMO}, found {self.header.type}")
        pack_fields(self.fields)


def encode_demo(demo: Demo) -> str:
    """The text of the QR code. Raises NotEncodable as ``encode`` does."""
    check_for_sending(demo.fields)
    return envelope.wrap(demo.header, pack_fields(demo.fields), None)


def decode_demo(text: str | bytes, token: str | bytes) -> Demo:
    """The demo that ``text`` carries. Anyone can have made it. Arguments and errors as for ``decode``."""
    header, body = envelope.unwrap(text, token, (MessageType.DEMO,), 1, None)
    return Demo(header, parse_body(body))
