"""A pytest plugin: keys count as attached, and the rig has their PIN wrong; it says at the end how often it was tried."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from fido2.ctap2.pin import ClientPin

from authrig.bench import keys
from authrig.bench.tools import Tools
from authrig.ports.key import Key
from authrig.rig_file.entries import EmulatedFido

tries: list[str] = []
_patch = pytest.MonkeyPatch()
_patch.setattr(Key, "has_own_clock", True)


def _misremember(make: Callable[[Tools, str, EmulatedFido], Key]) -> Callable[[Tools, str, EmulatedFido], Key]:
    def made(tools: Tools, name: str, emulated: EmulatedFido) -> Key:
        key = make(tools, name, emulated)
        key.pin = "97531"
        return key

    return made


def _count(get_pin_token: Callable[..., bytes]) -> Callable[..., bytes]:
    def counted(*words: Any, **named: Any) -> bytes:
        tries.append("try")
        return get_pin_token(*words, **named)

    return counted


_patch.setattr(keys, "emulated_key", _misremember(keys.emulated_key))
_patch.setattr(ClientPin, "get_pin_token", _count(ClientPin.get_pin_token))


def pytest_unconfigure() -> None:
    """Say it."""
    sys.stdout.write(f"\ntries: {len(tries)}\n")
