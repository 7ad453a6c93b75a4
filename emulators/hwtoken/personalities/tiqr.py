"""tiqr offline: a login challenge by QR code, and a PIN that only the server can check."""

from functools import partial

from emulators.env import Random
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Choice, Confirmation, Offer, PinUse, Rejected
from emulators.hwtoken.personalities.slots import SlotProposal, slots_of
from emulators.hwtoken.screens import ErrorKind
from offline_qr import tiqr

NAME = "tiqr"


def enrol(metadata: tiqr.Metadata, pin: str, random: Random) -> tuple[Slot, tiqr.Registration]:
    """What an online device does with the metadata behind an enrolment code: the account to keep, and what to post.

    Raises:
        tiqr.TiqrError: the PIN is not 4 to 12 digits.
    """
    secret = random.token_bytes(32)
    locked = tiqr.lock(secret, pin, random.token_bytes(16), random.token_bytes(16))
    values = {
        "server": metadata.service.identifier,
        "user": metadata.identity.identifier,
        "suite": metadata.service.ocra_suite,
        "salt": locked.salt.hex(),
        "iv": locked.iv.hex(),
        "secret": locked.ciphertext.hex(),
    }
    name = f"{metadata.identity.display_name} at {metadata.service.display_name}"
    return Slot(NAME, name[:255], values), tiqr.Registration(secret)


class TiqrPersonality:
    """All tiqr accounts of one token."""

    start_label = "Scan"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def offers(self) -> tuple[Offer, ...]:
        """None: everything begins with a QR code."""
        return ()

    def propose(self, data: bytes) -> SlotProposal | Choice:
        """The login that ``data`` asks for, or the accounts that it may be meant for. Nobody signed it.

        Raises:
            Rejected: no tiqr challenge, or one for no account of this token.
        """
        try:
            challenge = tiqr.parse_authentication(data)
        except tiqr.NotOurs:
            if data[:13].lower() == b"tiqrenroll://":
                raise Rejected(ErrorKind.UNSUPPORTED, "Enrolment needs a network.") from None
            sentence = f"This is {foreign.name_of(data)}, not a challenge."
            raise Rejected(ErrorKind.NOT_OURS, sentence) from None
        except tiqr.Unsupported:
            raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.") from None
        except tiqr.TiqrError:
            raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.") from None
        fit = [
            slot
            for _, slot in slots_of(self._parts, NAME)
            if slot.values["server"] == challenge.server and challenge.user_id in {None, slot.values["user"]}
        ]
        if not fit:
            raise Rejected(ErrorKind.NOT_FOR_THIS_TOKEN, "It is for no account of this token.")
        if len(fit) == 1:
            return _proposal(challenge, fit[0])
        return Choice("Account", tuple(Offer(slot.name, partial(_proposal, challenge, slot)) for slot in fit))


def _proposal(challenge: tiqr.AuthenticationChallenge, slot: Slot) -> SlotProposal:
    entries = (
        Entry("Log in to", challenge.service_provider or challenge.server),
        Entry("Server", challenge.server),
        Entry("Account", slot.name),
    )
    return SlotProposal("Login", entries, partial(_respond, challenge, slot), PinUse.SERVER)


def _respond(challenge: tiqr.AuthenticationChallenge, slot: Slot, confirmation: Confirmation) -> Answer:
    values = slot.values
    locked = tiqr.LockedSecret(*(bytes.fromhex(values[name]) for name in ("salt", "iv", "secret")))
    try:
        digits = challenge.respond(tiqr.unlock(locked, confirmation.pin or ""), values["suite"])
    except tiqr.TiqrError:
        raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.") from None
    return Answer(digits, "Type it to log in")
