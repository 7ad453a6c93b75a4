"""What an app does with its network: fetch pushes while it is idle, send what waits, take what comes back."""

from emulators.env import Clock
from emulators.hwtoken.answering import Answering
from emulators.hwtoken.network import CameBack, Errand, FetchPushes, Pushes, Unreachable, Wanted
from emulators.hwtoken.panel import Panel
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Outgoing
from emulators.hwtoken.personalities.push import PushProposal
from emulators.hwtoken.screens import State
from emulators.hwtoken.session import Session

FETCH = FetchPushes()


class NetworkDialogue:
    """The errands of one token, one at a time."""

    def __init__(self, clock: Clock, panel: Panel, session: Session, parts: Parts, answering: Answering) -> None:
        self._clock = clock
        self._panel = panel
        self._session = session
        self._parts = parts
        self._answering = answering
        self._numbers = 0
        self._open: Errand | None = None
        self._poll_at = clock.monotonic()

    @property
    def errand(self) -> Errand | None:
        """What is to be done now; the same one until its result comes, or it is not wanted any more."""
        wanted = self._wanted
        if wanted is None:
            self._open = None
        elif self._open is None or self._open.wanted is not wanted:
            self._numbers += 1
            self._open = Errand(self._numbers, wanted)
        return self._open

    @property
    def next_deadline(self) -> float | None:
        """When there will be something to fetch, in monotonic seconds; None too once there is: ``errand`` says so."""
        return self._poll_at if self._polls and self._poll_at > self._clock.monotonic() else None

    def deliver(self, number: int, came_back: CameBack) -> None:
        """Go on with what came back. What nobody waits for any more is ignored."""
        errand = self.errand
        if errand is None or errand.number != number:
            return
        self._open = None
        if errand.wanted is FETCH:
            self._poll_at = self._clock.monotonic() + self._parts.profile.behaviour.poll_seconds
            if isinstance(came_back, Pushes):
                self._show_first(came_back)
        elif isinstance(self._panel.behind, Outgoing):
            self._answering.proceed(self._panel.behind, came_back)

    def give_up(self) -> None:
        """Nothing has come back in time."""
        if isinstance(self._panel.behind, Outgoing):
            self._open = None
            self._answering.proceed(self._panel.behind, Unreachable())

    @property
    def _polls(self) -> bool:
        """Whether pushes are asked for now and then: on the idle screen, as anywhere else they would be in the way."""
        return self._parts.radio.is_on and self._panel.screen.state is State.IDLE and self._session.is_open

    @property
    def _wanted(self) -> Wanted | None:
        if isinstance(self._panel.behind, Outgoing):
            return self._panel.behind.wanted
        return FETCH if self._polls and self._clock.monotonic() >= self._poll_at else None

    def _show_first(self, pushes: Pushes) -> None:
        now = self._parts.clock.now()
        for push in pushes.waiting:
            over = now is not None and now > push.expires_at
            if not over and push.push_id not in self._session.pushes_seen:
                self._session.pushes_seen.add(push.push_id)
                self._answering.begin_push(PushProposal(push, self._parts))
                return
