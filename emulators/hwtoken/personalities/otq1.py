"""OTQ1 on the device: bytes from the camera, entries to review, the code (docs/reference/otq1.md)."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, PinUse, Proposal, Rejected, TypeFirst
from emulators.hwtoken.personalities.otq1_accounts import Otq1Account, account_entry, accounts_of
from emulators.hwtoken.personalities.otq1_times import check_time, issued_entry
from emulators.hwtoken.personalities.otq1_upkeep import (
    CODE_ON_LETTER,
    ActivationProposal,
    AdminProposal,
    SealedActivation,
)
from emulators.hwtoken.screens import ErrorKind
from offline_qr import otq1

TITLES = {otq1.MessageType.LOGIN: "Login", otq1.MessageType.TRANSACTION: "Transaction"}
PURPOSES = {
    otq1.MessageType.LOGIN: "Type it to log in",
    otq1.MessageType.TRANSACTION: "Type it to approve",
}
NO_DETAILS = Entry("Details", "none given")
"""What a login without fields says. A transaction without fields would be signed blindly and is refused."""
COUNTER_SUITE, PIN_SUITE, TIME_SUITE = 3, 4, 5
WHOLE_TOKEN = frozenset({otq1.Command.CLOCK_SYNC, otq1.Command.PIN_UNLOCK})
"""Commands that change what all accounts share: only the first account's server gives them."""
LAST_COUNTER = 2**64 - 1
CANNOT = "It asks for what this token cannot do."
_Message = TypeVar("_Message")


@dataclass(frozen=True, slots=True)
class Otq1Proposal:
    """A challenge that was sealed for this token."""

    challenge: otq1.Challenge
    keys: otq1.Keys
    account: Otq1Account
    named: bool
    """Whether the account is shown, as there are several."""
    while_locked = False

    @property
    def title(self) -> str:
        """Login or transaction."""
        return TITLES[self.challenge.header.type]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The fields as received; before them the account, and on a device without a clock when the challenge was issued."""
        fields = tuple(Entry(field.display_label, field.value) for field in self.challenge.fields)
        issued = issued_entry(self.challenge.header, self.account.parts)
        return account_entry(self.account, named=self.named) + issued + (fields or (NO_DETAILS,))

    @property
    def one_entry_a_page(self) -> bool:
        """As the message's flags say."""
        return bool(self.challenge.header.flags & otq1.Flags.CONFIRM_EACH_FIELD)

    @property
    def pin_use(self) -> PinUse:
        """As suite and flags say."""
        header = self.challenge.header
        if header.suite == PIN_SUITE:
            return PinUse.SERVER
        return PinUse.TOKEN if header.flags & otq1.Flags.PIN_REQUIRED else PinUse.NONE

    def check_time(self) -> None:
        """Refuse a challenge that has ended or comes from the future. Raises Rejected."""
        check_time(self.challenge.header, self.account.parts)

    def answer(self, confirmation: Confirmation) -> Answer:
        """Eight digits, or six under suite 2; the counter of suite 3 has moved on before."""
        parts = self.account.parts
        inputs, changes = otq1.Inputs(pin=confirmation.pin), {}
        header = self.challenge.header
        if header.suite == COUNTER_SUITE:
            counter = self.account.counter
            if counter == LAST_COUNTER:
                raise Rejected(ErrorKind.UNSUPPORTED, "The counter of this token has reached its end.")
            inputs, changes = dataclasses.replace(inputs, counter=counter), self.account.changes(counter=counter + 1)
        elif header.suite == TIME_SUITE:
            now = parts.clock.now()
            if now is None:
                raise Rejected(ErrorKind.UNSUPPORTED, "The clock has stopped: no code.")
            inputs = dataclasses.replace(inputs, time_step=int(now) // 60)
        already_shown = parts.memory.remember(header.challenge_id, **changes)
        compute = otq1.compute_duress_code if confirmation.duress and self.pin_use is not PinUse.SERVER else None
        digits = (compute or otq1.compute_code)(self.challenge, self.keys, inputs)
        return Answer(digits, PURPOSES[header.type], already_shown)

    def decline(self) -> str:
        """The decline code."""
        return otq1.compute_decline_code(self.challenge, self.keys)

    def refuse(self) -> None:
        """Nobody is told."""
        return


class Otq1Personality:
    """The OTQ1 protocol with the keys of one token."""

    start_label = "Scan"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._serial = parts.memory.contents.serial
        self._key_id = otq1.key_id(self._serial)
        self._accounts = tuple((account, account.keys) for account in accounts_of(parts))

    def offers(self) -> tuple[Offer, ...]:
        """None: everything begins with a QR code."""
        return ()

    def propose(self, data: bytes) -> Proposal | TypeFirst:
        """What the message in ``data`` asks.

        Raises:
            Rejected: for anything that is no OTQ1 message for this token which this device can show.
        """
        with refusals(data):
            kind = otq1.read_header(data).type
            if kind is otq1.MessageType.ACTIVATION:
                return self._propose_activation(data)
            if kind is otq1.MessageType.ADMIN:
                return self._propose_admin(data)
            return self._propose_challenge(data)

    def _propose_challenge(self, data: bytes) -> Otq1Proposal:
        def decode(keys: otq1.Keys, verify_key: bytes | None) -> otq1.Challenge:
            return otq1.decode(data, keys, self._key_id, suites=suites, flags=flags, verify_key=verify_key)

        suites, flags = self._suites(), self._flags()
        challenge, account, keys = self._open(decode)
        if challenge.header.type is otq1.MessageType.TRANSACTION and not challenge.fields:
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what it is for.")
        return Otq1Proposal(challenge, keys, account, named=len(self._accounts) > 1)

    def _propose_admin(self, data: bytes) -> AdminProposal:
        def decode(keys: otq1.Keys, verify_key: bytes | None) -> otq1.AdminMessage:
            return otq1.decode_admin(data, keys, self._key_id, verify_key=verify_key)

        message, account, keys = self._open(decode)
        if message.command is otq1.Command.CLOCK_SYNC and not self._parts.profile.behaviour.has_rtc:
            raise Rejected(ErrorKind.UNSUPPORTED, CANNOT)
        if message.command is otq1.Command.PIN_UNLOCK and self._parts.profile.pin is None:
            raise Rejected(ErrorKind.UNSUPPORTED, CANNOT)
        if message.command in WHOLE_TOKEN and not account.is_first:
            raise Rejected(ErrorKind.UNSUPPORTED, "Another server looks after this token.")
        proposal = AdminProposal(message, keys, account, named=len(self._accounts) > 1)
        proposal.check_time()
        proposal.check_order()
        return proposal

    def _open(self, decode: Callable[[otq1.Keys, bytes | None], _Message]) -> tuple[_Message, Otq1Account, otq1.Keys]:
        """The message, and whose it is: what no account's keys open is damaged."""
        refusals: list[otq1.Otq1Error] = []
        for account, keys in self._accounts:
            try:
                return decode(keys, account.verify_key), account, keys
            except otq1.Otq1Error as refusal:
                refusals.append(refusal)
        if not refusals:
            raise Rejected(ErrorKind.UNSUPPORTED, "This token must be activated first.")
        # An account that holds no key, or another one, says "unsupported" to what is another account's but damaged.
        raise next((refusal for refusal in refusals if isinstance(refusal, otq1.Damaged)), refusals[0])

    def _propose_activation(self, data: bytes) -> ActivationProposal | TypeFirst:
        contents = self._parts.memory.contents
        profile = otq1.read_profile(data, self._key_id)
        further = contents.label is not None or (contents.seed is not None and profile is not otq1.Profile.PRESEEDED)
        if further and (
            profile is otq1.Profile.PRESEEDED or len(self._accounts) >= self._parts.profile.behaviour.accounts
        ):
            raise Rejected(ErrorKind.ALREADY_DONE, "This token has been activated before.")
        trusted = contents.factory_verify_key if further else contents.verify_key
        verify_key = bytes.fromhex(trusted) if trusted else None
        if profile is otq1.Profile.CODE:
            return TypeFirst(CODE_ON_LETTER, SealedActivation(data, verify_key, self._parts).open)
        factory_key = bytes.fromhex(contents.factory_key) if contents.factory_key else None
        seed = bytes.fromhex(contents.seed) if contents.seed else None
        activation = otq1.decode_activation(
            data, self._serial, otq1.Secrets(seed=seed, factory_key=factory_key), verify_key=verify_key
        )
        proposal = ActivationProposal(activation, self._parts)
        proposal.check_time()
        proposal.check_new()
        return proposal

    def _suites(self) -> frozenset[int]:
        suites = otq1.STATELESS_SUITES | {COUNTER_SUITE}
        if self._parts.profile.pin is not None:
            suites |= {PIN_SUITE}
        if self._parts.clock.now() is not None:
            suites |= {TIME_SUITE}
        return suites

    def _flags(self) -> otq1.Flags:
        known = otq1.Flags.CONFIRM_EACH_FIELD | otq1.Flags.SIGNED
        return known if self._parts.profile.pin is None else known | otq1.Flags.PIN_REQUIRED


@contextmanager
def refusals(data: bytes) -> Iterator[None]:
    """Turn the protocol's refusals of ``data`` into those of the screen."""
    try:
        yield
    except otq1.NotOurs:
        raise Rejected(ErrorKind.NOT_OURS, f"This is {foreign.name_of(data)}, not a challenge.") from None
    except otq1.Unsupported:
        raise Rejected(ErrorKind.UNSUPPORTED, CANNOT) from None
    except otq1.NotForThisToken:
        raise Rejected(ErrorKind.NOT_FOR_THIS_TOKEN, "It is meant for another token.") from None
    except otq1.Otq1Error:
        raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.") from None
