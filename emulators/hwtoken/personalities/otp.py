"""Passcodes by time or counter (RFC 6238, RFC 4226), computed by pyotp; enrolled by an otpauth QR code or beforehand."""

import base64
import hashlib
from functools import partial

import pyotp

from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, Rejected
from emulators.hwtoken.personalities.slots import SlotProposal, add_slot, slots_of, take_counter
from emulators.hwtoken.screens import ErrorKind
from offline_qr import otpauth

NAME = "otp"
DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


def otp_slot(account: otpauth.OtpAccount) -> Slot:
    """The slot of ``account``: its otpauth URL, and the counter to use next."""
    name = f"{account.issuer}: {account.account}" if account.issuer else account.account
    return Slot(NAME, name[:255], {"url": account.text}, account.counter or 0)


class _OfAnyLength(pyotp.OTP):
    """The library refuses secrets of less than 112 bits, and those of 80 are what many servers give out."""

    def byte_secret(self) -> bytes:
        """The secret as it was enrolled."""
        return base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))


class _Hotp(_OfAnyLength, pyotp.HOTP):
    """By counter."""


class _Totp(_OfAnyLength, pyotp.TOTP):
    """By time."""


class OtpPersonality:
    """All accounts of one token."""

    start_label = "Code"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def offers(self) -> tuple[Offer, ...]:
        """One passcode for each account."""
        return tuple(
            Offer(slot.name, partial(self._passcode, number, slot)) for number, slot in slots_of(self._parts, NAME)
        )

    def propose(self, data: bytes) -> SlotProposal:
        """The enrolment that ``data`` asks for. Nobody signed it; the user knows where the picture came from.

        Raises:
            Rejected: no otpauth URL, or one that cannot be.
        """
        try:
            account = otpauth.parse(data)
        except otpauth.NotOtpAuthError:
            sentence = f"This is {foreign.name_of(data)}, not a challenge."
            raise Rejected(ErrorKind.NOT_OURS, sentence) from None
        except otpauth.OtpAuthError:
            raise Rejected(ErrorKind.DAMAGED, "This set-up code has mistakes.") from None
        slot = otp_slot(account)
        if any(slot.name == each.name for _, each in slots_of(self._parts, NAME)):
            raise Rejected(ErrorKind.ALREADY_DONE, "This account is there already.")
        entries = (
            *((Entry("For", account.issuer),) if account.issuer else ()),
            Entry("Account", account.account),
            Entry(
                "Codes", f"{account.digits} digits by {'time' if account.type is otpauth.OtpType.TOTP else 'counter'}"
            ),
        )
        return SlotProposal("New account", entries, partial(self._enrol, slot))

    def _enrol(self, slot: Slot, confirmation: Confirmation) -> Answer:
        try:
            add_slot(self._parts, slot)
        except ValueError:
            raise Rejected(ErrorKind.UNSUPPORTED, "There is no room for it.") from None
        number = len(self._parts.memory.contents.slots) - 1
        return self._compute(number, "First passcode", confirmation)

    def _passcode(self, number: int, slot: Slot) -> SlotProposal:
        return SlotProposal("Passcode", (), partial(self._compute, number, slot.name))

    def _compute(self, number: int, purpose: str, _confirmation: Confirmation) -> Answer:
        slot = self._parts.memory.contents.slots[number]
        account = otpauth.parse(slot.values["url"])
        if account.type is otpauth.OtpType.HOTP:
            counter = take_counter(self._parts, number)
            hotp = _Hotp(account.base32, digits=account.digits, digest=DIGESTS[account.algorithm])
            return Answer(hotp.at(counter), purpose)
        now = self._parts.clock.now()
        if now is None:
            raise Rejected(ErrorKind.UNSUPPORTED, "The clock has stopped: no code.")
        totp = _Totp(
            account.base32,
            digits=account.digits,
            digest=DIGESTS[account.algorithm],
            interval=account.period or otpauth.DEFAULT_PERIOD,
        )
        return Answer(totp.at(int(now)), purpose)
