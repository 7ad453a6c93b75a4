"""Each published message, scanned by a whole device: every type, suite, profile and command."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.screens import Declined, Error, ErrorKind, Idle, Review, Typing
from tests.emulators.hwtoken.token_bench import Bench

ALL: dict[str, Any] = json.loads((Path(__file__).parents[3] / "data/otq1_all.json").read_text("utf-8"))
VECTORS = {vector["name"]: vector for vector in ALL["vectors"]}
DEMOS = ("demo", "demo for any token")
NO_GLYPHS = ("login with labels of its own",)
"""Has letters that no font of these models has."""
PIN = "2749"


def bench_for(vector: dict[str, Any]) -> Bench:
    """A token that is as the message expects it, at the time of the message."""
    memory = TokenMemory()
    signed = bytes.fromhex(ALL["verify_key"]) if vector["flags"] & 1 else None
    memory.manufacture(ALL["serial"], bytes.fromhex(ALL["factory_key"]), signed)
    if vector.get("profile", 1) == 1:
        memory.update(seed=ALL["seed"])
    inputs = vector.get("inputs", {})
    memory.update(counter=inputs.get("counter", 0))
    bench = Bench("qr-reader-keypad", memory)
    bench.clock.set_time(int(vector["header"][40:48], 16))
    if "time_step" in inputs:
        bench.clock.set_time(inputs["time_step"] * 60 + 30)
    return bench.set_pin(PIN)


@pytest.mark.parametrize("name", [name for name in VECTORS if name not in DEMOS + NO_GLYPHS])
def test_a_device_answers_each_published_message_as_published(name: str) -> None:
    """With the code that the vectors give, and what it keeps afterwards."""
    vector = VECTORS[name]
    bench = bench_for(vector)
    bench.scan(vector["text"])
    if vector.get("profile") == 3:
        assert isinstance(bench.screen(), Typing)
        bench.type(ALL["activation_code"].replace(" ", "").replace("-", ""))
    assert isinstance(bench.screen(), Review)
    bench.confirm()
    if isinstance(bench.screen(), Typing):
        bench.type(vector.get("inputs", {}).get("pin") or PIN)
    assert bench.code() == vector["code"]
    contents = bench.memory.contents
    if "counter" in vector.get("inputs", {}):
        assert contents.counter == vector["inputs"]["counter"] + 1
    if "profile" in vector:
        assert (contents.seed, contents.label) == (vector["new_seed"] or ALL["seed"], vector["label"])
        assert (contents.verify_key or "") in {vector["verify_key"] or "", ALL["verify_key"]}
    bench.ok()
    bench.restart()
    if "command" in vector or "profile" in vector:
        again = bench.scan(vector["text"]) if isinstance(bench.screen(), Idle) else bench.screen()
        assert isinstance(again, Error | Typing)  # done before, or a PIN must be chosen first


@pytest.mark.parametrize(
    "name", [name for name in VECTORS if "decline_code" in VECTORS[name] and name not in NO_GLYPHS]
)
def test_a_held_cancel_gives_the_published_decline_code(name: str) -> None:
    """Under each suite."""
    vector = VECTORS[name]
    bench = bench_for(vector)
    bench.scan(vector["text"])
    declined = bench.hold(Button.CANCEL)
    assert isinstance(declined, Declined)
    assert declined.digits == vector["decline_code"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [*((name, ErrorKind.UNSUPPORTED) for name in DEMOS), *((name, ErrorKind.UNRENDERABLE) for name in NO_GLYPHS)],
)
def test_what_cannot_be_answered_is_refused(name: str, kind: ErrorKind) -> None:
    """Demos on a production token, and letters without a glyph."""
    bench = bench_for(VECTORS[name])
    refused = bench.scan(VECTORS[name]["text"])
    assert isinstance(refused, Error)
    assert refused.kind is kind
