"""The server's side of OTQ1 for one token: it asks, and knows what the token has to answer."""

from authrig.bench.clock import RigClock
from authrig.bench.tokens import LentToken
from authrig.pictures import picture_from_png, print_code
from authrig.ports.qr_token import QrToken
from authrig.ports.token_parts import CONSOLE, Shown
from emulators.hwtoken.keys import Button
from offline_qr import otq1

LOGIN = (otq1.Field(otq1.Tag.SERVICE, "E-Banking"), otq1.Field(otq1.Tag.USER, "alice"))
PAYMENT = (
    otq1.Field(otq1.Tag.AMOUNT, "CHF 1'250.00"),
    otq1.Field(otq1.Tag.TO_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
    otq1.Field(otq1.Tag.BENEFICIARY, "Müller & Söhne AG"),
)
_CLOCKS_AGREE = 5.0
"""Seconds by which a token's clock may be off without anybody's minding."""


class Issuer:
    """Asks the token that was lent.

    Args:
        lent: the token, whose seed the rig knows.
        seed: that seed.
        clock: the bench's.
    """

    def __init__(self, lent: LentToken, seed: bytes, clock: RigClock) -> None:
        self.token: QrToken = lent.port
        self.serial, self.seed = lent.serial, seed
        self.factory_key = lent.factory_key
        self.keys = otq1.derive_keys(lent.serial, seed)
        self._random = lent.random
        self._clock = clock
        told = self.token.time()
        ahead = 0.0 if told is None else told - clock.time()
        # A token in a world of its own has another date; a token whose clock is only a little wrong is judged by ours.
        self._ahead = ahead if abs(ahead) > _CLOCKS_AGREE else 0.0
        spent = int(self.token.counters()["sequence"]) if CONSOLE in self.token.capabilities() else self.now()
        self._sequence = spent

    def now(self) -> int:
        """The time, in seconds since 1970."""
        return int(self._clock.time() + self._ahead)

    def random(self, count: int) -> bytes:
        """Bytes for what must never be used twice."""
        return self._random.token_bytes(count)

    def header(  # noqa: PLR0913 - what a header has
        self,
        kind: otq1.MessageType,
        *,
        suite: int = 1,
        flags: otq1.Flags = otq1.Flags.NONE,
        ttl: int | None = None,
        issued: int = 0,
        serial: str | None = None,
    ) -> otq1.Header:
        """A header that was issued ``issued`` seconds from now, for this token unless ``serial`` says another."""
        to = otq1.key_id(serial or self.serial)
        ttl = ttl or otq1.DEFAULT_TTL[kind]
        return otq1.Header(kind, to, self.random(12), self.now() + issued, ttl, suite, flags)

    def login(self, fields: tuple[otq1.Field, ...] = LOGIN, **header: object) -> otq1.Challenge:
        """A login; ``header`` as for ``header``."""
        return otq1.Challenge(self.header(otq1.MessageType.LOGIN, **header), fields)  # type: ignore[arg-type]  # passed on

    def payment(self, fields: tuple[otq1.Field, ...] = PAYMENT, **header: object) -> otq1.Challenge:
        """A transaction; ``header`` as for ``header``."""
        return otq1.Challenge(self.header(otq1.MessageType.TRANSACTION, **header), fields)  # type: ignore[arg-type]  # as above

    def order(self, command: otq1.Command, argument: int | None = None, **header: object) -> otq1.AdminMessage:
        """An admin message with the next sequence number."""
        self._sequence += 1
        head = self.header(otq1.MessageType.ADMIN, **header)  # type: ignore[arg-type]  # as above
        return otq1.AdminMessage(head, self._sequence, command, argument)

    def show(self, message: otq1.Challenge | otq1.AdminMessage | str) -> Shown:
        """Hold the message before the token; returns what it shows then."""
        match message:
            case otq1.Challenge():
                text = otq1.encode(message, self.keys)
            case otq1.AdminMessage():
                text = otq1.encode_admin(message, self.keys)
            case _:
                text = message
        return self.token.scan(picture_from_png(print_code(text)))

    def answer(self, challenge: otq1.Challenge) -> str:
        """What a user does who agrees: scan, read all of it, confirm; returns the code."""
        self.show(challenge)
        self.token.read_review()
        return self.token.confirm()

    def obey(self, message: otq1.AdminMessage) -> str:
        """Have an admin message obeyed; returns the code that reports it."""
        self.show(message)
        self.token.read_review()
        return self.token.confirm()

    def expected(self, challenge: otq1.Challenge, **inputs: int | str) -> str:
        """The code that the token has to show; ``inputs`` as in ``otq1.Inputs``."""
        return otq1.compute_code(challenge, self.keys, otq1.Inputs(**inputs))  # type: ignore[arg-type]  # passed on

    def back_to_idle(self) -> Shown:
        """Switch it off and on, and type its PIN: a known screen."""
        self.token.restart()
        return self.token.ensure_pin()

    def forget_pin(self) -> None:
        """Have the token forget its PIN, as a help desk does; it is off afterwards, and asks for a new one when on."""
        self.obey(self.order(otq1.Command.PIN_UNLOCK, 0))
        self.token.restart()

    def choose_from_menu(self, entry: str) -> Shown:
        """Open the menu behind a long press on OK, go to ``entry`` and choose it."""
        self.back_to_idle()
        return self._go_to(entry)

    def choose_with_pin(self, entry: str, pin: str) -> Shown:
        """As ``choose_from_menu``, on a token that has another PIN than usual."""
        self.token.restart()
        self.token.type_digits(pin)
        return self._go_to(entry)

    def _go_to(self, entry: str) -> Shown:
        shown = self.token.press(Button.OK, held=True)
        for _ in range(16):
            if shown.lines is not None and shown.lines[-1] == entry:
                return self.token.press(Button.OK)
            shown = self.token.press(Button.CANCEL)
        raise AssertionError(f"expected {entry!r} in the menu, found {shown.lines}")


def title_of(shown: Shown) -> str:
    """The heading of a screen, without page numbers."""
    assert shown.lines, f"expected words on the screen, found {shown}"
    return shown.lines[0].rstrip("0123456789/ ")
