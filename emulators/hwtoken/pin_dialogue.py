"""What the user types about the PIN: choosing, repeating, signing in, changing; and what the panel answers."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from emulators.hwtoken.memory import MemoryFault, TokenMemory
from emulators.hwtoken.panel import Panel
from emulators.hwtoken.pin import PinLock, Verdict
from emulators.hwtoken.profile import PinPolicy
from emulators.hwtoken.screens import Event, Locked, Notice
from emulators.hwtoken.session import Session
from emulators.hwtoken.typed import Question


class PinDialogue:
    """The PIN of one token, from the side of its keys."""

    def __init__(self, lock: PinLock, policy: PinPolicy, memory: TokenMemory, session: Session, panel: Panel) -> None:
        self._lock = lock
        self._policy = policy
        self._memory = memory
        self._session = session
        self._panel = panel

    def stands_before(self) -> bool:
        """Where the PIN is locked, not chosen or not typed yet: ask for what is due, and True."""
        with suppress(MemoryFault):  # then it stays locked
            self._lock.finish_wipe()
        if self._lock.is_locked:
            self._show_locked()
        elif not self._lock.is_set:
            self._session.end()
            self._ask_to_choose(duress=False)
        elif not self._session.signed_in:
            self.ask("PIN", self._sign_in)
        else:
            return False
        return True

    def ask(self, title: str, then: Callable[[str], None], *, note: str = "") -> None:
        """Have a PIN typed."""
        question = Question(title, note or "Type your PIN", self._policy.least_digits, self._policy.most_digits)
        self._panel.ask(question, then)

    def check(self, pin: str, again: Callable[[str], None]) -> bool:
        """Whether ``pin`` is right, or the duress PIN; otherwise what comes next is on the panel.

        Args:
            pin: as it was typed.
            again: gets the next one, where this one was wrong and tries are left.
        """
        try:
            verdict = self._lock.check(pin)
        except MemoryFault:
            self._panel.show_fault()
            return False
        if verdict in {Verdict.RIGHT, Verdict.DURESS}:
            self._session.duress = verdict is Verdict.DURESS
            return True
        if verdict is Verdict.WRONG:
            left = self._lock.tries_left
            self.ask("Wrong PIN", again, note=f"{left} {'try' if left == 1 else 'tries'} left")
        elif self._lock.is_locked:
            self._show_locked()
        else:  # the last try wiped the token
            self._panel.go_dark()
        return False

    def change(self, *, duress: bool) -> None:
        """Let the user choose another PIN, or a duress PIN, after typing the old one."""
        self.ask("PIN" if duress else "Old PIN", partial(self._change, duress=duress))

    def _change(self, pin: str, *, duress: bool) -> None:
        if self.check(pin, partial(self._change, duress=duress)):
            self._ask_to_choose(duress=duress)

    def _sign_in(self, pin: str) -> None:
        if self.check(pin, self._sign_in):
            self._session.signed_in = True
            self._panel.show_idle(Event.UNLOCKED)

    def _show_locked(self) -> None:
        self._session.end()
        self._panel.show(Event.BLOCKED, Locked(self._memory.contents.serial))

    def _ask_to_choose(self, *, duress: bool, note: str = "") -> None:
        title = "Duress PIN" if duress else "New PIN"
        self.ask(title, partial(self._ask_to_repeat, duress=duress), note=note or "Choose a PIN")

    def _ask_to_repeat(self, pin: str, *, duress: bool) -> None:
        refusal = self._lock.refuse(pin)
        if refusal is not None:
            self._ask_to_choose(duress=duress, note=refusal)
            return
        self.ask("Repeat PIN", partial(self._choose, pin, duress=duress), note="Type it again")

    def _choose(self, pin: str, repeated: str, *, duress: bool) -> None:
        if pin != repeated:
            self._ask_to_choose(duress=duress, note="They differ. Choose again.")
            return
        try:
            # Who was forced to sign in and now changes the PIN changes the duress PIN: the real one stays unknown.
            if duress or self._session.duress:
                self._lock.choose_duress(pin)
            else:
                self._lock.choose(pin)
        except MemoryFault:
            self._panel.show_fault()
            return
        self._session.signed_in = True
        self._panel.show(Event.TOLD, Notice("PIN", ("It is set.",)))
