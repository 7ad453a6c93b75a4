"""OTQ1's activation and administration on the device: what changes the token itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Answer, Confirmation, PinUse, Rejected
from emulators.hwtoken.personalities.otq1_times import check_time, issued_entry
from emulators.hwtoken.pin import unlocked
from emulators.hwtoken.screens import ErrorKind
from emulators.hwtoken.typed import Question
from offline_qr import otq1

ACTIVATION_TRIES = 5
"""Wrong activation codes before the token gives up (docs/reference/otq1.md)."""
_DAMAGED = "It was changed or cut. Scan again."


@dataclass(frozen=True, slots=True)
class ActivationProposal:
    """A server offers to take the token into use for one account."""

    activation: otq1.Activation = field(repr=False)
    parts: Parts
    title = "Activation"
    one_entry_a_page = False
    pin_use = PinUse.NONE
    while_locked = False

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The account's name."""
        return (*issued_entry(self.activation.header, self.parts), Entry("Account", self.activation.account.label))

    def check_time(self) -> None:
        """Refuse one that has ended or comes from the future. Raises Rejected."""
        check_time(self.activation.header, self.parts)

    def answer(self, _confirmation: Confirmation) -> Answer:
        """Keep what came, then the code that proves it."""
        account = self.activation.account
        changes: dict[str, Any] = {"label": account.label, "code_tries_spent": 0}
        if self.activation.seed is not None:
            changes |= {"seed": self.activation.seed.hex(), "sequence": 0, "counter": 0, "shown": ()}
        if account.verify_key is not None:
            changes["verify_key"] = account.verify_key.hex()
        self.parts.memory.update(**changes)
        return Answer(self.activation.compute_code(), "Type it to activate")

    def decline(self) -> None:
        """There is no server yet to tell."""
        return


CODE_ON_LETTER = Question("Activation", "Code on your letter", 17, 17, hidden=False)


@dataclass(frozen=True, slots=True)
class SealedActivation:
    """An activation under profile C: the code from the letter opens it."""

    data: bytes = field(repr=False)
    verify_key: bytes | None
    parts: Parts

    def open(self, typed: str) -> ActivationProposal:
        """Open it. A code that cannot be right by its check digit costs no try; any other does before it is tried.

        Raises:
            Rejected: another code, or no tries are left.
            MemoryFault: the try could not be counted.
        """
        memory = self.parts.memory
        spent = memory.contents.code_tries_spent
        if spent >= ACTIVATION_TRIES:
            raise Rejected(ErrorKind.WRONG_ACTIVATION_CODE, "Too many wrong codes. Reset this token.")
        try:
            otq1.check_activation_code(typed)
        except otq1.WrongActivationCode:
            raise Rejected(ErrorKind.WRONG_ACTIVATION_CODE, "The code was mistyped. Try again.") from None
        memory.update(code_tries_spent=spent + 1)
        secrets = otq1.Secrets(typed_code=typed)
        try:
            activation = otq1.decode_activation(self.data, memory.contents.serial, secrets, verify_key=self.verify_key)
        except otq1.WrongActivationCode:
            raise Rejected(ErrorKind.WRONG_ACTIVATION_CODE, "The code is of another letter.") from None
        except otq1.Otq1Error:
            raise Rejected(ErrorKind.DAMAGED, _DAMAGED) from None
        return ActivationProposal(activation, self.parts)


@dataclass(frozen=True, slots=True)
class AdminProposal:
    """The server tells the token to change something."""

    message: otq1.AdminMessage
    keys: otq1.Keys
    parts: Parts
    title = "Administration"
    one_entry_a_page = False
    pin_use = PinUse.NONE

    @property
    def while_locked(self) -> bool:
        """A locked token obeys what unlocks or wipes it."""
        return self.message.command in {otq1.Command.PIN_UNLOCK, otq1.Command.WIPE}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What will be done, in the token's own words."""
        command, argument = self.message.command, self.message.argument
        match command:
            case otq1.Command.CLOCK_SYNC:
                time = datetime.fromtimestamp(self.message.header.issued_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
                return (Entry("Set the clock to", time),)
            case otq1.Command.COUNTER_SYNC:
                what = Entry("Set the counter to", str(argument))
            case otq1.Command.PIN_UNLOCK:
                what = Entry("PIN", "unlock it" if argument else "forget it, set a new one")
            case otq1.Command.WIPE:
                what = Entry("Erase", "keys, counters and PIN")
        return (*issued_entry(self.message.header, self.parts), what)

    def check_time(self) -> None:
        """Refuse one that has ended or comes from the future, unless it is to set the clock. Raises Rejected."""
        if self.message.command is not otq1.Command.CLOCK_SYNC:
            check_time(self.message.header, self.parts)

    def check_order(self) -> None:
        """Refuse a message that was obeyed before, and a counter that goes back.

        Raises:
            Rejected: as above.
        """
        contents = self.parts.memory.contents
        if self.message.sequence <= contents.sequence:
            raise Rejected(ErrorKind.ALREADY_DONE, "It has been done before.")
        if self.message.command is otq1.Command.COUNTER_SYNC and (self.message.argument or 0) < contents.counter:
            raise Rejected(ErrorKind.ALREADY_DONE, "Its counter has been used before.")

    def answer(self, _confirmation: Confirmation) -> Answer:
        """Do it, with the sequence number in the same write; then the code that says so."""
        self.check_order()
        digits = otq1.compute_admin_code(self.message, self.keys)
        memory = self.parts.memory
        changes: dict[str, Any] = {"sequence": self.message.sequence}
        match self.message.command:
            case otq1.Command.CLOCK_SYNC:
                memory.update(**changes, **self.parts.clock.setting(self.message.header.issued_at))
                self.parts.clock.found()
            case otq1.Command.COUNTER_SYNC:
                memory.update(**changes, counter=self.message.argument)
            case otq1.Command.PIN_UNLOCK:
                memory.update(**changes, **unlocked(keep=bool(self.message.argument)))
            case otq1.Command.WIPE:
                memory.wipe()
        return Answer(digits, "Type it to report it")

    def decline(self) -> None:
        """The protocol has decline codes for logins and transactions only."""
        return
