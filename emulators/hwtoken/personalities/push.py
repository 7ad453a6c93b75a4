"""A push: what a server asks an app over the network, which one touch answers."""

from dataclasses import dataclass
from functools import partial

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.network import AnswerPush, CameBack, Done, Push, TooLate
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Confirmation, Outgoing, PinUse, Rejected
from emulators.hwtoken.screens import ErrorKind, Notice
from offline_qr.shown import find_hidden


@dataclass(frozen=True, slots=True)
class PushProposal:
    """A push that waits, as something to review. The server's connection, not a key of the token, says whose it is."""

    push: Push
    parts: Parts
    title = "Approve?"
    one_entry_a_page = False
    pin_use = PinUse.NONE
    while_locked = False

    @property
    def entries(self) -> tuple[Entry, ...]:
        """A line of the text each, divided at its first colon."""
        lines = [line for line in self.push.text.splitlines() if line.strip()]
        parts = [line.partition(": ") for line in lines]
        return tuple(
            Entry(label, value) if label and value.strip() else Entry("Message", line)
            for line, (label, _, value) in zip(lines, parts, strict=True)
        )

    def check_time(self) -> None:
        """Refuse one that is over, says nothing, or hides something. Raises Rejected."""
        now = self.parts.clock.now()
        if now is not None and now > self.push.expires_at:
            raise Rejected(ErrorKind.EXPIRED, "This request has ended.")
        if any(find_hidden(line) for line in self.push.text.splitlines()):
            raise Rejected(ErrorKind.UNRENDERABLE, "It has letters that this token cannot show.")
        if not self.entries:
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what it is for.")

    def answer(self, _confirmation: Confirmation) -> Outgoing:
        """Approve it."""
        return Outgoing(AnswerPush(self.push.push_id, approve=True), "Approving.", partial(_tell, "It is approved."))

    def decline(self) -> None:
        """There is no code to type; refusing tells the server already."""
        return

    def refuse(self) -> Outgoing:
        """Deny it."""
        return Outgoing(AnswerPush(self.push.push_id, approve=False), "Refusing.", partial(_tell, "It is refused."))


def _tell(sentence: str, came_back: CameBack) -> Notice:
    """What to say once the server has, or has not, taken the answer."""
    if isinstance(came_back, Done):
        return Notice("Push", (sentence,))
    if isinstance(came_back, TooLate):
        raise Rejected(ErrorKind.EXPIRED, "This request has ended.")
    raise Rejected(ErrorKind.NO_ANSWER, "The server did not answer.")
