"""From what the camera saw, or a menu offered, to the code: judge, review, PIN, answer. There is no shorter way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from emulators.hwtoken.layout import Unrenderable, paginate
from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.network import CameBack
from emulators.hwtoken.panel import Panel
from emulators.hwtoken.personalities.base import (
    Answer,
    Choice,
    Confirmation,
    Offer,
    Outgoing,
    PinUse,
    Proposal,
    Rejected,
    TypeFirst,
)
from emulators.hwtoken.pin_dialogue import PinDialogue
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.screens import Code, Declined, ErrorKind, Event, Line, Menu, Notice, Refused, Review, Waiting
from emulators.hwtoken.session import Session
from emulators.hwtoken.typed import Question

ANY_PIN = (4, 8)
"""Digits of a PIN that only a server judges, on a model without one of its own."""

Found = Proposal | TypeFirst | Choice | Outgoing


@dataclass(frozen=True, slots=True)
class UnderReview:
    """What the user is reading."""

    proposal: Proposal
    pages: tuple[tuple[Line, ...], ...]

    def screen(self, page: int) -> Review:
        """Page ``page``, from 1."""
        return Review(self.proposal.title, page, len(self.pages), self.pages[page - 1])


@dataclass(frozen=True, slots=True)
class Choices:
    """What each entry of the list that is up does, in its order."""

    actions: tuple[Callable[[], None], ...] = field(repr=False)


class Answering:
    """The way from a challenge to its code on one token."""

    def __init__(self, panel: Panel, session: Session, pin: PinDialogue | None, profile: Profile) -> None:
        self._panel = panel
        self._session = session
        self._pin = pin
        self._profile = profile

    def judge(self, codes: Sequence[bytes]) -> None:
        """Begin with the one challenge among the ``codes`` in view, or say what they are instead."""
        found: list[Found] = []
        rejections: list[Rejected] = []
        for data in dict.fromkeys(codes):
            try:
                found.append(self._propose(data))
            except Rejected as rejected:
                rejections.append(rejected)
        if len(found) > 1:
            self._panel.reject(Rejected(ErrorKind.SEVERAL, "Two challenges in view. Show one."))
        elif found:
            self._begin(found[0], Event.CHALLENGE)
        else:
            # What is said about a code of ours helps more than what is said about a poster beside it.
            self._panel.reject(min(rejections, key=lambda rejected: rejected.kind is ErrorKind.NOT_OURS))

    def accept(self, offer: Offer) -> None:
        """Begin with what the user chose from a list."""
        self._begin(offer.begin(), Event.PASSCODE)

    def turn_page(self, event: Event) -> None:
        """To the next page."""
        under_review = self._under_review
        if under_review is not None and isinstance(self._panel.screen, Review):
            self._panel.show(event, under_review.screen(self._panel.screen.page + 1), under_review)

    def confirm_last_page(self, event: Event) -> None:
        """The user has read all there is."""
        if self._under_review is not None:
            self._confirm(self._under_review.proposal, event)

    def begin_push(self, proposal: Proposal) -> None:
        """Begin with what the server asks over the network."""
        try:
            proposal.check_time()
        except Rejected as rejected:
            self._panel.reject(rejected)
        else:
            self._review(proposal, Event.PUSHED)

    def proceed(self, outgoing: Outgoing, came_back: CameBack) -> None:
        """Go on with what came back over the network."""
        try:
            found = outgoing.then(came_back)
        except Rejected as rejected:
            self._panel.reject(rejected)
        except MemoryFault:
            self._panel.show_fault()
        else:
            self._session.renew()
            if isinstance(found, Notice):
                self._panel.show(Event.TOLD, found)
            elif isinstance(found, Answer):
                self._show_code(Event.PASSCODE, found)
            else:
                self._begin(found, Event.PASSCODE)

    def refuse(self, event: Event) -> None:
        """The user does not want it."""
        outgoing = self._under_review.proposal.refuse() if self._under_review is not None else None
        if outgoing is None:
            self._panel.show(event, Refused())
        else:
            self._send(outgoing)

    def decline(self) -> None:
        """The user reports what is under review as fraud."""
        code = self._under_review.proposal.decline() if self._under_review is not None else None
        if code is not None:
            self._panel.show(Event.HOLD_CANCEL, Declined(self._grouped(code)))

    @property
    def _under_review(self) -> UnderReview | None:
        return self._panel.behind if isinstance(self._panel.behind, UnderReview) else None

    def _propose(self, data: bytes) -> Found:
        refused = Rejected(ErrorKind.NOT_OURS, "This token reads no codes.")
        for personality in self._session.personalities:
            try:
                found = personality.propose(data)
            except Rejected as rejected:
                if rejected.kind is not ErrorKind.NOT_OURS:
                    raise
                refused = rejected
                continue
            self._check_locked(found)
            return found
        raise refused

    def _check_locked(self, found: Found) -> None:
        """Refuse what may not be done while the PIN stands between the user and the token; and what is too old."""
        known = None if isinstance(found, TypeFirst | Choice | Outgoing) else found
        if not self._session.is_open and (known is None or not known.while_locked):
            raise Rejected(ErrorKind.UNSUPPORTED, "The PIN is locked. This does not unlock it.")
        if known is not None:
            known.check_time()

    def _begin(self, found: Found, without_review: Event) -> None:
        if isinstance(found, TypeFirst):
            self._panel.ask(found.question, partial(self._open, found))
        elif isinstance(found, Choice):
            actions = tuple(partial(self.accept, offer) for offer in found.offers)
            labels = tuple(offer.label for offer in found.offers)
            self._panel.show(Event.CHOICE, Menu(labels, 0, found.title), Choices(actions))
        elif isinstance(found, Outgoing):
            self._send(found)
        elif found.entries:
            self._review(found, Event.CHALLENGE)
        else:
            self._confirm(found, without_review)

    def _open(self, locked: TypeFirst, typed: str) -> None:
        try:
            proposal = locked.propose(typed)
            self._check_locked(proposal)
        except Rejected as rejected:
            self._panel.reject(rejected)
        except MemoryFault:
            self._panel.show_fault()
        else:
            self._begin(proposal, Event.DIGITS_TYPED)

    def _review(self, proposal: Proposal, event: Event) -> None:
        try:
            pages = paginate(proposal.entries, self._profile.panel, one_a_page=proposal.one_entry_a_page)
        except Unrenderable:
            self._panel.reject(Rejected(ErrorKind.UNRENDERABLE, "It has letters that this token cannot show."))
            return
        under_review = UnderReview(proposal, pages)
        self._panel.show(event, under_review.screen(1), under_review)

    def _confirm(self, proposal: Proposal, event: Event) -> None:
        """By ``event`` to a code, or first to the PIN."""
        match proposal.pin_use:
            case PinUse.NONE:
                self._answer(event, proposal, Confirmation(duress=self._session.duress))
            case PinUse.TOKEN if self._pin is not None:
                self._pin.ask("PIN", partial(self._confirm_with_own_pin, proposal))
            case PinUse.SERVER:
                policy = self._profile.pin
                least, most = (policy.least_digits, policy.most_digits) if policy else ANY_PIN
                question = Question("PIN", "Type your PIN", least, most)
                self._panel.ask(question, partial(self._confirm_with_any_pin, proposal))
            case PinUse.CHOSEN:
                self._ask_to_choose(proposal, "Choose a PIN")

    def _confirm_with_own_pin(self, proposal: Proposal, pin: str) -> None:
        if self._pin is not None and self._pin.check(pin, partial(self._confirm_with_own_pin, proposal)):
            self._answer(Event.DIGITS_TYPED, proposal, Confirmation(duress=self._session.duress))

    def _confirm_with_any_pin(self, proposal: Proposal, pin: str) -> None:
        self._answer(Event.DIGITS_TYPED, proposal, Confirmation(pin=pin, duress=self._session.duress))

    def _ask_to_choose(self, proposal: Proposal, prompt: str) -> None:
        self._panel.ask(Question("New PIN", prompt, *ANY_PIN), partial(self._ask_to_repeat, proposal))

    def _ask_to_repeat(self, proposal: Proposal, pin: str) -> None:
        question = Question("Repeat PIN", "Type it again", *ANY_PIN)
        self._panel.ask(question, partial(self._confirm_chosen_pin, proposal, pin))

    def _confirm_chosen_pin(self, proposal: Proposal, pin: str, repeated: str) -> None:
        if pin == repeated:
            self._confirm_with_any_pin(proposal, pin)
        else:
            self._ask_to_choose(proposal, "They differ. Choose again.")

    def _send(self, outgoing: Outgoing) -> None:
        self._panel.show(Event.SENDING, Waiting(outgoing.sentence), outgoing)

    def _show_code(self, event: Event, answer: Answer) -> None:
        self._panel.show(event, Code(self._grouped(answer.digits), answer.purpose, answer.already_shown))

    def _answer(self, event: Event, proposal: Proposal, confirmation: Confirmation) -> None:
        """Compute and show the code. What must be durable is so before the code is seen."""
        try:
            proposal.check_time()  # it may have ended while it was read
            answer = proposal.answer(confirmation)
        except Rejected as rejected:
            self._panel.reject(rejected)
        except MemoryFault:
            self._panel.show_fault()
        else:
            self._session.renew()
            if isinstance(answer, Outgoing):
                self._send(answer)
            else:
                self._show_code(event, answer)

    def _grouped(self, digits: str) -> str:
        """Groups of the profile's length at most, as even as they can be: 4+4, 4+3, 3+3."""
        count = -(-len(digits) // self._profile.behaviour.digits_per_group)
        size, longer = divmod(len(digits), count)
        ends = [size * group + min(group, longer) for group in range(count + 1)]
        return " ".join(digits[start:end] for start, end in pairwise(ends))
