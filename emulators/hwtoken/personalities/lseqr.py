"""LinOTP's QR token: challenges that are sealed to this token, and for the most part signed by nobody."""

from functools import partial
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emulators.env import Random
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.network import CameBack, HttpPost, HttpReply
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, Outgoing, Rejected
from emulators.hwtoken.personalities.slots import SlotProposal, add_slot, drop_slot, slots_of
from emulators.hwtoken.screens import ErrorKind, Notice
from offline_qr import lseqr
from offline_qr.shown import find_hidden

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
            return self._propose_pairing(data)
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

    def _propose_pairing(self, data: bytes) -> SlotProposal:
        if not self._parts.radio.is_on:
            raise Rejected(ErrorKind.UNSUPPORTED, "Pairing needs a network.")
        try:
            url = lseqr.parse_pairing_url(data)
        except lseqr.Unsupported:
            raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.") from None
        except lseqr.LseqrError:
            raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.") from None
        if not url.callback_url or not url.serial or find_hidden(url.callback_url + url.serial):
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what to pair, or where.")
        entries = (Entry("Pair as", url.serial), Entry("Goes to", url.callback_url))
        return SlotProposal("New pairing", entries, partial(_pair, self._parts, url, url.callback_url))

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


def _pair(parts: Parts, url: lseqr.PairingUrl, callback_url: str, _confirmation: Confirmation) -> Outgoing:
    """Keep the pairing, then answer: one that the server has is never lost."""
    taken = {int(slot.values["user_token_id"]) for _, slot in slots_of(parts, NAME)}
    number = next(number for number in range(len(taken) + 1) if number not in taken)
    try:
        slot, response = pair(url, "", number, parts.random)
        add_slot(parts, slot)
    except lseqr.LseqrError:
        raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.") from None
    except ValueError:
        raise Rejected(ErrorKind.ALREADY_DONE, "This pairing is there already, or there is no room.") from None
    post = HttpPost(callback_url, urlencode({"pairing_response": response}).encode("ascii"))
    return Outgoing(post, "Pairing.", partial(_read_pairing_reply, parts, slot))


def _read_pairing_reply(parts: Parts, slot: Slot, came_back: CameBack) -> Notice:
    if not isinstance(came_back, HttpReply):
        return Notice("New pairing", ("The server did not answer.", "It is kept; remove it if it does not work."))
    if came_back.status != 200:
        drop_slot(parts, slot)
        raise Rejected(ErrorKind.ALREADY_DONE, "The server refused it. Get a new code.")
    return Notice("New pairing", (slot.name, "The server has it. Scan its challenge."))
