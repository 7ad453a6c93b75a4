"""Lists to choose from: the menu behind a long press on OK, and what the token offers without its camera."""

import dataclasses
from collections.abc import Callable
from functools import partial

from emulators.hwtoken import menu
from emulators.hwtoken.accounts import Account, accounts
from emulators.hwtoken.answering import Answering, Choices
from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.panel import Panel
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.pin_dialogue import PinDialogue
from emulators.hwtoken.screens import Event, Menu, Notice, Scanning, State, move
from emulators.hwtoken.session import Session
from emulators.hwtoken.typed import Question


class MenuDialogue:
    """The lists of one token."""

    def __init__(
        self, panel: Panel, session: Session, parts: Parts, answering: Answering, pin: PinDialogue | None
    ) -> None:
        self._panel = panel
        self._session = session
        self._parts = parts
        self._answering = answering
        self._pin = pin

    @property
    def start_label(self) -> str:
        """The word above OK on the idle screen: what the first protocol begins with."""
        return self._session.personalities[0].start_label

    @property
    def begins_with_camera(self) -> bool:
        """Whether OK begins with the camera: on the idle screen, and to try again."""
        return self._panel.screen.state is State.LOCKED or self.start_label == menu.SCAN

    def start(self) -> None:
        """What OK begins on a model that does not begin with its camera: the one thing there is, or a list of them."""
        offers = self._session.personalities[0].offers()
        if len(offers) == 1:
            self._answering.accept(offers[0])
        else:
            self.open()

    def open(self) -> None:
        """Show the menu: what can be done without the camera, then what there is to set or to know."""
        if move(self._panel.screen.state, Event.HOLD_OK) is None:
            return
        offers = [offer for personality in self._session.personalities for offer in personality.offers()]
        entries: list[tuple[str, Callable[[], None]]] = [
            (offer.label, partial(self._answering.accept, offer)) for offer in offers
        ]
        entries += [(item.label, partial(self._do, item.action)) for item in menu.items(self._parts.profile)]
        labels, actions = zip(*entries, strict=True)
        self._panel.show(Event.HOLD_OK, Menu(labels, 0), Choices(actions))

    def next(self) -> None:
        """Go to the next entry; from the last to the first."""
        screen = self._panel.screen
        if isinstance(screen, Menu):
            moved = dataclasses.replace(screen, chosen=(screen.chosen + 1) % len(screen.items))
            self._panel.show(Event.CANCEL, moved, self._panel.behind)

    def select(self) -> None:
        """Do what the chosen entry says."""
        screen, choices = self._panel.screen, self._panel.behind
        if isinstance(screen, Menu) and isinstance(choices, Choices):
            choices.actions[screen.chosen]()

    def _do(self, action: menu.Action) -> None:
        match action:
            case menu.Action.SCAN:
                self._panel.show(Event.CAMERA, Scanning())
            case menu.Action.INFO:
                self._panel.show(Event.OK, Notice("About", menu.about(self._parts)))
            case menu.Action.SELF_TEST:
                self._panel.show(Event.OK, Notice("Self-test", menu.self_test(self._parts)))
            case menu.Action.CHANGE_PIN | menu.Action.DURESS_PIN if self._pin is not None:
                self._pin.change(duress=action is menu.Action.DURESS_PIN)
            case menu.Action.NETWORK:
                self.go_online(online=not self._parts.radio.on)
            case menu.Action.ACCOUNTS:
                self._list_accounts()
            case menu.Action.ERASE:
                question = Question("Erase", f"Type {menu.ERASE_WORD} to erase all", 4, 4, hidden=False)
                self._panel.ask(question, self._erase)
            case menu.Action.BACK:
                self._panel.show_idle(Event.GIVEN_UP)

    def go_online(self, *, online: bool) -> None:
        """Switch the network on or off. What waits for an answer is given up; the idle screen says it."""
        if not self._parts.radio.present or self._parts.radio.on is online:
            return
        self._parts.radio.on = online
        if self._panel.screen.state in {State.IDLE, State.MENU, State.WAITING}:
            self._panel.show_idle(Event.GIVEN_UP)

    def _list_accounts(self) -> None:
        found = accounts(self._parts)
        if not found:
            self._panel.show(Event.OK, Notice("Accounts", ("There are none.",)))
            return
        actions = [partial(self._open_account, account) for account in found]
        labels = (*(account.name for account in found), menu.BACK)
        back = partial(self._panel.show_idle, Event.GIVEN_UP)
        self._panel.show(Event.CHOICE, Menu(labels, 0, "Accounts"), Choices((*actions, back)))

    def _open_account(self, account: Account) -> None:
        entries: tuple[tuple[str, Callable[[], None]], ...] = (
            ("About", partial(self._panel.show, Event.OK, Notice("Account", account.about))),
            ("Remove", partial(self._ask_to_remove, account)),
            (menu.BACK, partial(self._panel.show_idle, Event.GIVEN_UP)),
        )
        labels, actions = zip(*entries, strict=True)
        self._panel.show(Event.CHOICE, Menu(labels, 0, "Account"), Choices(actions))

    def _ask_to_remove(self, account: Account) -> None:
        question = Question("Remove", f"Type {menu.ERASE_WORD} to remove {account.name}", 4, 4, hidden=False)
        self._panel.ask(question, partial(self._remove, account))

    def _remove(self, account: Account, typed: str) -> None:
        if typed == menu.ERASE_WORD:
            try:
                self._parts.memory.update(**account.removal)
            except MemoryFault:
                self._panel.show_fault()
                return
            self._session.renew()
        self._panel.show_idle(Event.GIVEN_UP)

    def _erase(self, typed: str) -> None:
        if typed != menu.ERASE_WORD:
            self._panel.show_idle(Event.GIVEN_UP)
            return
        try:
            self._parts.memory.wipe()
        except MemoryFault:
            self._panel.show_fault()
        else:
            self._panel.go_dark()
