"""tiqr offline: a login challenge by QR code, and a PIN that only the server can check."""

from functools import partial
from urllib.parse import urlsplit

from emulators.env import Random
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.network import CameBack, HttpGet, HttpPost, HttpReply
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Choice, Confirmation, Offer, Outgoing, PinUse, Rejected
from emulators.hwtoken.personalities.slots import SlotProposal, add_slot, drop_slot, slots_of
from emulators.hwtoken.screens import ErrorKind, Notice
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
        "authentication_url": metadata.service.authentication_url,
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

    def propose(self, data: bytes) -> SlotProposal | Choice | Outgoing:
        """The login that ``data`` asks for, the accounts that it may be meant for, or an enrolment. Nobody signed it.

        Raises:
            Rejected: no tiqr challenge, or one for no account of this token.
        """
        try:
            return self._propose_enrolment(tiqr.parse_enrolment(data))
        except tiqr.NotOurs:
            return self._propose_login(data)
        except tiqr.TiqrError:
            raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.") from None

    def _propose_enrolment(self, link: tiqr.EnrolmentLink) -> Outgoing:
        if not self._parts.radio.is_on:
            raise Rejected(ErrorKind.UNSUPPORTED, "Enrolment needs a network.")
        return Outgoing(HttpGet(link.metadata_url), "Asking who enrols you.", partial(_read_metadata, self._parts))

    def _propose_login(self, data: bytes) -> SlotProposal | Choice:
        try:
            challenge = tiqr.parse_authentication(data)
        except tiqr.NotOurs:
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
            return _proposal(self._parts, challenge, fit[0])
        return Choice(
            "Account", tuple(Offer(slot.name, partial(_proposal, self._parts, challenge, slot)) for slot in fit)
        )


def _proposal(parts: Parts, challenge: tiqr.AuthenticationChallenge, slot: Slot) -> SlotProposal:
    entries = (
        Entry("Log in to", challenge.service_provider or challenge.server),
        Entry("Server", challenge.server),
        Entry("Account", slot.name),
    )
    return SlotProposal("Login", entries, partial(_respond, parts, challenge, slot), PinUse.SERVER)


def _respond(
    parts: Parts, challenge: tiqr.AuthenticationChallenge, slot: Slot, confirmation: Confirmation
) -> Answer | Outgoing:
    values = slot.values
    locked = tiqr.LockedSecret(*(bytes.fromhex(values[name]) for name in ("salt", "iv", "secret")))
    try:
        digits = challenge.respond(tiqr.unlock(locked, confirmation.pin or ""), values["suite"])
    except tiqr.TiqrError:
        raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.") from None
    answer = Answer(digits, "Type it to log in")
    url = slot.values.get("authentication_url")
    if not parts.radio.is_on or not url:
        return answer
    form = tiqr.Login.answering(challenge, slot.values["user"], digits).form.encode("ascii")
    return Outgoing(HttpPost(url, form, headers=PROTOCOL), "Logging in.", partial(_read_login_reply, answer))


PROTOCOL = ((tiqr.PROTOCOL_HEADER, "2"),)
SENTENCES = {
    tiqr.ReplyCode.OK: "You are logged in.",
    tiqr.ReplyCode.INVALID_RESPONSE: "The PIN was wrong.",
    tiqr.ReplyCode.INVALID_CHALLENGE: "This login has ended.",
    tiqr.ReplyCode.ACCOUNT_BLOCKED: "Your account is blocked.",
    tiqr.ReplyCode.INVALID_USER: "The server does not know you.",
}
"""What the user is told of a server's reply to a login."""


def _read_login_reply(answer: Answer, came_back: CameBack) -> Notice | Answer:
    """What the server said; the code to type, where it said nothing that can be read."""
    reply = _reply(came_back)
    if reply is None:
        return answer
    sentence = SENTENCES.get(reply.response_code, "The server refused it.")
    left = reply.attempts_left
    tries = () if left is None else (f"{left} {'try' if left == 1 else 'tries'} left.",)
    return Notice("Login", (sentence, *tries))


def _reply(came_back: CameBack) -> tiqr.Reply | None:
    if not isinstance(came_back, HttpReply):
        return None
    try:
        return tiqr.parse_reply(came_back.body, came_back.headers)
    except tiqr.TiqrError:
        return None


def _read_metadata(parts: Parts, came_back: CameBack) -> SlotProposal:
    """What the server says about service and user, as something to review."""
    if not isinstance(came_back, HttpReply) or came_back.status != 200:
        raise Rejected(ErrorKind.NO_ANSWER, "The server did not say who enrols you.")
    try:
        metadata = tiqr.parse_metadata(came_back.body)
    except tiqr.TiqrError:
        raise Rejected(ErrorKind.DAMAGED, "The server's answer cannot be read.") from None
    entries = (
        Entry("Service", metadata.service.display_name),
        Entry("Server", metadata.service.identifier),
        Entry("Account", metadata.identity.display_name),
        Entry("Goes to", urlsplit(metadata.service.enrollment_url).netloc),
    )
    return SlotProposal("New account", entries, partial(_enrol, parts, metadata), PinUse.CHOSEN)


def _enrol(parts: Parts, metadata: tiqr.Metadata, confirmation: Confirmation) -> Outgoing:
    """Keep the account, then post its secret: one that the server has is never lost."""
    slot, registration = enrol(metadata, confirmation.pin or "", parts.random)
    try:
        add_slot(parts, slot)
    except ValueError:
        raise Rejected(ErrorKind.ALREADY_DONE, "This account is there already, or there is no room.") from None
    post = HttpPost(metadata.service.enrollment_url, registration.form.encode("ascii"), headers=PROTOCOL)
    return Outgoing(post, "Enrolling.", partial(_read_enrolment_reply, parts, slot))


def _read_enrolment_reply(parts: Parts, slot: Slot, came_back: CameBack) -> Notice:
    reply = _reply(came_back)
    if reply is None:
        return Notice("New account", ("The server did not answer.", "It is kept; remove it if it does not work."))
    if reply.response_code is not tiqr.ReplyCode.OK:
        drop_slot(parts, slot)
        raise Rejected(ErrorKind.ALREADY_DONE, "The server refused it. Get a new code.")
    return Notice("New account", (slot.name, "It is enrolled."))
