"""OTQ1 on the device: bytes from the camera, entries to review, the code (docs/reference/otq1.md)."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, PinUse, Proposal, Rejected, TypeFirst
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
LAST_COUNTER = 2**64 - 1
CANNOT = "It asks for what this token cannot do."


@dataclass(frozen=True, slots=True)
class Otq1Proposal:
    """A challenge that was sealed for this token."""

    challenge: otq1.Challenge
    keys: otq1.Keys
    parts: Parts
    while_locked = False

    @property
    def title(self) -> str:
        """Login or transaction."""
        return TITLES[self.challenge.header.type]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The fields as received; before them, on a device without a clock, when the challenge was issued."""
        fields = tuple(Entry(field.display_label, field.value) for field in self.challenge.fields)
        return issued_entry(self.challenge.header, self.parts) + (fields or (NO_DETAILS,))

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
        check_time(self.challenge.header, self.parts)

    def answer(self, confirmation: Confirmation) -> Answer:
        """Eight digits, or six under suite 2; the counter of suite 3 has moved on before."""
        inputs, changes = otq1.Inputs(pin=confirmation.pin), {}
        header = self.challenge.header
        if header.suite == COUNTER_SUITE:
            counter = self.parts.memory.contents.counter
            if counter == LAST_COUNTER:
                raise Rejected(ErrorKind.UNSUPPORTED, "The counter of this token has reached its end.")
            inputs, changes = dataclasses.replace(inputs, counter=counter), {"counter": counter + 1}
        elif header.suite == TIME_SUITE:
            now = self.parts.clock.now()
            if now is None:
                raise Rejected(ErrorKind.UNSUPPORTED, "The clock has stopped: no code.")
            inputs = dataclasses.replace(inputs, time_step=int(now) // 60)
        already_shown = self.parts.memory.remember(header.challenge_id, **changes)
        compute = otq1.compute_duress_code if confirmation.duress and self.pin_use is not PinUse.SERVER else None
        digits = (compute or otq1.compute_code)(self.challenge, self.keys, inputs)
        return Answer(digits, PURPOSES[header.type], already_shown)

    def decline(self) -> str:
        """The decline code."""
        return otq1.compute_decline_code(self.challenge, self.keys)


class Otq1Personality:
    """The OTQ1 protocol with the keys of one token."""

    start_label = "Scan"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        contents = parts.memory.contents
        self._serial = contents.serial
        self._key_id = otq1.key_id(contents.serial)
        self._verify_key = bytes.fromhex(contents.verify_key) if contents.verify_key else None
        identity = parts.memory.identity
        self._seed = identity.seed if identity else None
        self._keys = otq1.derive_keys(identity.serial, identity.seed) if identity else None

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
        challenge = otq1.decode(
            data, self._have_keys(), self._key_id, suites=self._suites(), verify_key=self._verify_key
        )
        header = challenge.header
        known = otq1.Flags.CONFIRM_EACH_FIELD | otq1.Flags.SIGNED
        if self._parts.profile.pin is not None:
            known |= otq1.Flags.PIN_REQUIRED
        if header.flags & ~known:
            raise Rejected(ErrorKind.UNSUPPORTED, CANNOT)
        if header.type is otq1.MessageType.TRANSACTION and not challenge.fields:
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what it is for.")
        return Otq1Proposal(challenge, self._have_keys(), self._parts)

    def _propose_admin(self, data: bytes) -> AdminProposal:
        message = otq1.decode_admin(data, self._have_keys(), self._key_id, verify_key=self._verify_key)
        if message.command is otq1.Command.CLOCK_SYNC and not self._parts.profile.behaviour.has_rtc:
            raise Rejected(ErrorKind.UNSUPPORTED, CANNOT)
        if message.command is otq1.Command.PIN_UNLOCK and self._parts.profile.pin is None:
            raise Rejected(ErrorKind.UNSUPPORTED, CANNOT)
        proposal = AdminProposal(message, self._have_keys(), self._parts)
        proposal.check_order()
        return proposal

    def _propose_activation(self, data: bytes) -> ActivationProposal | TypeFirst:
        contents = self._parts.memory.contents
        profile = otq1.read_profile(data, self._key_id)
        seeded = contents.seed is not None
        if contents.label is not None or (seeded and profile is not otq1.Profile.PRESEEDED):
            raise Rejected(ErrorKind.ALREADY_DONE, "This token has been activated before.")
        if profile is otq1.Profile.CODE:
            return TypeFirst(CODE_ON_LETTER, SealedActivation(data, self._verify_key, self._parts).open)
        factory_key = bytes.fromhex(contents.factory_key) if contents.factory_key else None
        secrets = otq1.Secrets(seed=self._seed, factory_key=factory_key)
        activation = otq1.decode_activation(data, self._serial, secrets, verify_key=self._verify_key)
        return ActivationProposal(activation, self._parts)

    def _have_keys(self) -> otq1.Keys:
        if self._keys is None:
            raise Rejected(ErrorKind.UNSUPPORTED, "This token must be activated first.")
        return self._keys

    def _suites(self) -> frozenset[int]:
        suites = otq1.STATELESS_SUITES | {COUNTER_SUITE}
        if self._parts.profile.pin is not None:
            suites |= {PIN_SUITE}
        if self._parts.clock.now() is not None:
            suites |= {TIME_SUITE}
        return suites


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
