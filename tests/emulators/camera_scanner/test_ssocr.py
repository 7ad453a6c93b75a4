from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.displays import code_of, models, photograph
from emulators.camera_scanner import ssocr
from emulators.camera_scanner.display_reader import UNKNOWN, SevenSegments


@pytest.mark.needs("ssocr")
def test_the_second_opinion_is_the_same() -> None:
    """On photographs of the fob; and a display without digits gets none."""
    model = models()[0]
    assert isinstance(model.panel, SevenSegments)
    panel = replace(model.panel, second_opinion=True)
    for seed in range(3):
        assert panel.read(*photograph(model, code_of(seed), seed, strong=False)).code == code_of(seed)
    assert ssocr.available()
    assert ssocr.read_digits(np.full((110, 600), 128, np.uint8), 8) is None


def test_another_opinion_makes_a_digit_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others stay as they are."""
    model = models()[0]
    assert isinstance(model.panel, SevenSegments)
    code = code_of(0)
    other = code[:3] + ("1" if code[3] != "1" else "7") + code[4:]
    monkeypatch.setattr(ssocr, "read_digits", lambda _flat, _digits: other)
    seen = photograph(model, code, 0, strong=False)
    assert replace(model.panel, second_opinion=True).read(*seen).text == code[:3] + UNKNOWN + code[4:]
    assert model.panel.read(*seen).code == code


@pytest.mark.parametrize("answer", ["exit 1", "echo 1234567", "echo 123_5678", "printf '\\377'", "exec sleep 60"])
def test_an_opinion_that_is_none(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It failed, counts otherwise, is in doubt, talks garbage, hangs, or is not installed."""
    monkeypatch.setattr(ssocr, "_SECONDS", 1.0)
    program = tmp_path / "ssocr"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert ssocr.read_digits(np.zeros((110, 600), np.uint8), 8) is None
    program.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not ssocr.available()
    assert ssocr.read_digits(np.zeros((110, 600), np.uint8), 8) is None
