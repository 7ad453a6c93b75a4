"""OTQ1's activation and administration on the device: what changes the token itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Answer, Confirmation, PinUse, Rejected
from emulators.hwtoken.personalities.otq1_accounts import (
    FRESH,
    Otq1Account,
    account_entry,
    accounts_of,
    further_slot,
)
from emulators.hwtoken.personalities.otq1_times import check_time, issued_entry
from emulators.hwtoken.personalities.slots import MAX_SLOTS
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

    def check_new(self) -> None:
        """Refuse an account that is there already.

        Raises:
            Rejected: one with this seed, or of this name.
        """
        for account in accounts_of(self.parts):
            if self.activation.seed is not None and account.keys == self.activation.keys:
                raise Rejected(ErrorKind.ALREADY_DONE, "This token has been activated before.")
            itself = self.activation.seed is None and account.is_first
            if not itself and account.name == self.activation.account.label:
                raise Rejected(ErrorKind.ALREADY_DONE, "An account of this name is there already.")

    def check_time(self) -> None:
        """Refuse one that has ended or comes from the future. Raises Rejected."""
        check_time(self.activation.header, self.parts)

    def answer(self, _confirmation: Confirmation) -> Answer:
        """Keep what came, then the code that proves it."""
        self.check_new()
        account, seed, contents = self.activation.account, self.activation.seed, self.parts.memory.contents
        changes: dict[str, Any] = {"code_tries_spent": 0}
        if seed is not None and contents.seed is not None:
            if len(contents.slots) >= MAX_SLOTS:
                raise Rejected(ErrorKind.UNSUPPORTED, "There is no room for it.")
            changes["slots"] = (*contents.slots, further_slot(account, seed))
        else:
            changes["label"] = account.label
            if seed is not None:
                changes |= {"seed": seed.hex(), **FRESH}
            if account.verify_key is not None:
                changes["verify_key"] = account.verify_key.hex()
        self.parts.memory.update(**changes)
        return Answer(self.activation.compute_code(), "Type it to activate")

    def decline(self) -> None:
        """There is no server yet to tell."""
        return

    def refuse(self) -> None:
        """Nobody is told."""
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
        proposal = ActivationProposal(activation, self.parts)
        proposal.check_time()
        proposal.check_new()
        return proposal


@dataclass(frozen=True, slots=True)
class AdminProposal:
    """The server tells the token to change something."""

    message: otq1.AdminMessage
    keys: otq1.Keys
    account: Otq1Account
    named: bool
    """Whether the account is shown, as there are several."""
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
        whose = account_entry(self.account, named=self.named)
        match command:
            case otq1.Command.CLOCK_SYNC:
                time = datetime.fromtimestamp(self.message.header.issued_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
                return (*whose, Entry("Set the clock to", time))
            case otq1.Command.COUNTER_SYNC:
                what = Entry("Set the counter to", str(argument))
            case otq1.Command.PIN_UNLOCK:
                what = Entry("PIN", "unlock it" if argument else "forget it, set a new one")
            case otq1.Command.WIPE:
                what = Entry("Erase", "keys, counters and PIN" if self.account.is_first else "this account")
        return (*whose, *issued_entry(self.message.header, self.account.parts), what)

    def check_time(self) -> None:
        """Refuse one that has ended or comes from the future, unless it is to set the clock. Raises Rejected."""
        if self.message.command is not otq1.Command.CLOCK_SYNC:
            check_time(self.message.header, self.account.parts)

    def check_order(self) -> None:
        """Refuse a message that was obeyed before, and a counter that goes back.

        Raises:
            Rejected: as above.
        """
        if self.message.sequence <= self.account.sequence:
            raise Rejected(ErrorKind.ALREADY_DONE, "It has been done before.")
        if self.message.command is otq1.Command.COUNTER_SYNC and (self.message.argument or 0) < self.account.counter:
            raise Rejected(ErrorKind.ALREADY_DONE, "Its counter has been used before.")

    def answer(self, _confirmation: Confirmation) -> Answer:
        """Do it, with the sequence number in the same write; then the code that says so."""
        self.check_order()
        digits = otq1.compute_admin_code(self.message, self.keys)
        memory, clock = self.account.parts.memory, self.account.parts.clock
        sequence = self.message.sequence
        match self.message.command:
            case otq1.Command.CLOCK_SYNC:
                memory.update(**self.account.changes(sequence=sequence), **clock.setting(self.message.header.issued_at))
                clock.found()
            case otq1.Command.COUNTER_SYNC:
                memory.update(**self.account.changes(sequence=sequence, counter=self.message.argument))
            case otq1.Command.PIN_UNLOCK:
                keep = bool(self.message.argument)
                memory.update(**self.account.changes(sequence=sequence), **unlocked(keep=keep))
            case otq1.Command.WIPE if self.account.is_first:
                memory.wipe()
            case otq1.Command.WIPE:
                memory.update(**self.account.removal())
        return Answer(digits, "Type it to report it")

    def decline(self) -> None:
        """The protocol has decline codes for logins and transactions only."""
        return

    def refuse(self) -> None:
        """Nobody is told."""
        return
