from typing import Any

import pytest

from authrig.attached.token_console import TokenConsole
from emulators.env import Env
from emulators.hwtoken.keys import Button
from tests.hil_tests.token_bench import SERIAL, token_bench


def test_a_picture_is_asked_for_where_words_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real line it takes longer than all else; each screen has its own all the same."""
    asked: list[str] = []
    ask = TokenConsole.ask

    def counting(console: TokenConsole, command: str, **parameters: Any) -> dict[str, Any]:
        asked.append(command)
        return ask(console, command, **parameters)

    monkeypatch.setattr(TokenConsole, "ask", counting)
    with token_bench("dot_matrix_128x64", Env.simulated(1)) as bench:
        console = TokenConsole(bench.console, SERIAL)
        console.power_on()
        first = [next(console.looks()) for _ in range(3)]
        console.press(Button.OK)
        second = next(console.looks())
        console.close()
    assert asked.count("png") == 2
    assert {shown.png for shown in first} == {first[0].png}
    assert (first[0].state, second.state) == ("idle", "scanning")
    assert second.png not in (None, first[0].png)
