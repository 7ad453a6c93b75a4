"""OCRA with a challenge that the user types (RFC 6287): the card-reader kind of token."""

from functools import partial

from emulators.hwtoken.contents import Slot
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, PinUse, Rejected, TypeFirst
from emulators.hwtoken.personalities.slots import SlotProposal, slots_of, take_counter
from emulators.hwtoken.screens import ErrorKind
from emulators.hwtoken.typed import Question
from offline_qr.ocra import DataInputError, parse_suite

NAME = "ocra_keypad"
LEAST_DIGITS = 4


def ocra_slot(name: str, suite: str, key: bytes, counter: int = 0) -> Slot:
    """An account whose challenges are typed: ``suite`` must have numeric questions.

    Raises:
        ValueError: no such suite, or one whose questions or session data no keypad can type.
    """
    parsed = parse_suite(suite)
    if parsed.question_format != "N" or parsed.session_length is not None or parsed.digits == 0:
        raise ValueError(f"expected a suite with a numeric question, no session and a decimal code, found {suite}")
    return Slot(NAME, name, {"suite": suite, "key": key.hex()}, counter)


class OcraKeypadPersonality:
    """All OCRA accounts of one token."""

    start_label = "Start"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def offers(self) -> tuple[Offer, ...]:
        """A challenge to type for each account."""
        return tuple(Offer(slot.name, partial(self._ask, number)) for number, slot in slots_of(self._parts, NAME))

    def propose(self, data: bytes) -> SlotProposal:
        """Refuse: this protocol has no QR codes. Raises Rejected."""
        raise Rejected(ErrorKind.NOT_OURS, f"This is {foreign.name_of(data)}, not a challenge.")

    def _ask(self, number: int) -> TypeFirst:
        slot = self._parts.memory.contents.slots[number]
        most = parse_suite(slot.values["suite"]).question_length
        question = Question("Challenge", f"Type it for {slot.name}", LEAST_DIGITS, most, hidden=False)
        return TypeFirst(question, partial(self._propose_typed, number))

    def _propose_typed(self, number: int, typed: str) -> SlotProposal:
        suite = parse_suite(self._parts.memory.contents.slots[number].values["suite"])
        pin_use = PinUse.SERVER if suite.pin_hash_name else PinUse.NONE
        return SlotProposal("Challenge", (), partial(self._compute, number, typed), pin_use)

    def _compute(self, number: int, typed: str, confirmation: Confirmation) -> Answer:
        slot = self._parts.memory.contents.slots[number]
        suite = parse_suite(slot.values["suite"])
        now = self._parts.clock.now()
        if suite.time_step_seconds and now is None:
            raise Rejected(ErrorKind.UNSUPPORTED, "The clock has stopped: no code.")
        counter = take_counter(self._parts, number) if suite.counter else None
        try:
            digits = suite.compute(
                bytes.fromhex(slot.values["key"]),
                typed,
                counter=counter,
                pin=confirmation.pin,
                time_step=int(now or 0) // suite.time_step_seconds if suite.time_step_seconds else None,
            )
        except DataInputError:
            raise Rejected(ErrorKind.UNSUPPORTED, "This challenge cannot be answered.") from None
        return Answer(digits, slot.name)
