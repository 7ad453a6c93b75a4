"""LinOTP's QR token: challenges that are sealed to this token, and for the most part signed by nobody."""

from functools import partial

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emulators.env import Random
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, Rejected
from emulators.hwtoken.personalities.slots import SlotProposal, slots_of
from emulators.hwtoken.screens import ErrorKind
from offline_qr import lseqr

NAME = "lseqr"
WARNING = Entry("Warning", "Not signed: anyone who knows this token's public key can have made it")
LABELS = {lseqr.ContentType.FREE: "Message", lseqr.ContentType.PAIR: "Pair as", lseqr.ContentType.AUTH: "Log in as"}


def pair(url: lseqr.PairingUrl, login: str, user_token_id: int, random: Random) -> tuple[Slot, str]:
    """What an online device does with a pairing code: the account to keep, and the answer to send to LinOTP.

    Raises:
        lseqr.LseqrError: the code has a bad key, or the login is too long.
    """
    user_key = random.token_bytes(32)
    public_key = X25519PrivateKey.from_private_bytes(user_key).public_key().public_bytes_raw()
    response = lseqr.PairingResponse(url.partition, user_token_id, public_key, url.serial, login)
    values = {
        "server_public_key": url.server_public_key.hex(),
        "user_key": user_key.hex(),
        "user_token_id": str(user_token_id),
        "digits": str(url.digits or 8),
    }
    return Slot(NAME, url.serial, values), lseqr.seal_response(response, url.server_public_key, random.token_bytes(32))


class LseqrPersonality:
    """All pairings of one token."""

    start_label = "Scan"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def offers(self) -> tuple[Offer, ...]:
        """None: everything begins with a QR code."""
        return ()

    def propose(self, data: bytes) -> SlotProposal:
        """The challenge in ``data``; a strict model puts a warning before one that nobody signed.

        Raises:
            Rejected: no challenge for a pairing of this token.
        """
        if data[:13] == b"lseqr://pair/":
            raise Rejected(ErrorKind.UNSUPPORTED, "Pairing needs a network.")
        if data[:8] != b"lseqr://":
            raise Rejected(ErrorKind.NOT_OURS, f"This is {foreign.name_of(data)}, not a challenge.")
        damaged = False
        for _, slot in slots_of(self._parts, NAME):
            try:
                exchange = lseqr.read(
                    data,
                    user_token_id=int(slot.values["user_token_id"]),
                    user_key=bytes.fromhex(slot.values["user_key"]),
                    server_public_key=bytes.fromhex(slot.values["server_public_key"]),
                )
            except lseqr.NotForThisToken:
                continue
            except lseqr.Unsupported:
                raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.") from None
            except lseqr.LseqrError:
                damaged = True  # or another server's, which has given the same number to its pairing
                continue
            return self._proposal(exchange, slot)
        if damaged:
            raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.")
        raise Rejected(ErrorKind.NOT_FOR_THIS_TOKEN, "It is for no pairing of this token.")

    def _proposal(self, exchange: lseqr.Exchange, slot: Slot) -> SlotProposal:
        challenge = exchange.challenge
        if not challenge.message.strip():
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what it is for.")
        # The URL and the number are under the code too, so they are shown.
        optional = (("Answer goes to", challenge.url), ("Or by SMS to", challenge.sms))
        entries = (
            Entry(LABELS[challenge.content_type], challenge.message),
            *(Entry(label, value) for label, value in optional if value),
        )
        warned = self._parts.profile.behaviour.strict and not exchange.signed
        compute = partial(_compute, exchange, int(slot.values["digits"]))
        return SlotProposal("LinOTP", (WARNING, *entries) if warned else entries, compute, one_entry_a_page=warned)


def _compute(exchange: lseqr.Exchange, digits: int, _confirmation: Confirmation) -> Answer:
    return Answer(exchange.tan(digits), "Type it to confirm")
