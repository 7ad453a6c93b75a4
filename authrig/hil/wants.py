"""What a test wants of the rig, as its markers say, and what of that is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import pytest

from authrig.errors import RigError
from authrig.hil.session import rig_file_of
from authrig.rig_file.entries import KINDS, EmulatedFido, Fido, RigFile

End = Literal["emulated", "attached"]
ENDS: tuple[End, ...] = ("emulated", "attached")


@dataclass(frozen=True, slots=True)
class Wants:
    """Devices by kind (how many, and what each can do), and on which end the test runs.

    ``named`` has the kinds of which one device is meant, by what the rig file calls it.
    """

    kinds: tuple[tuple[str, int, frozenset[str]], ...]
    destructive: bool
    only: End | None
    profile: str | None
    named: Mapping[str, str] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """How many of a kind; at least one, since whoever asks wants one."""
        return max([1, *(count for wanted, count, _ in self.kinds if wanted == kind)])


def read_wants(item: pytest.Item) -> Wants:
    """The markers of ``item``.

    Raises:
        pytest.UsageError: if one is used wrongly.
    """
    kinds = tuple(_hil(item, mark) for mark in item.iter_markers("hil"))
    named = {mark.args[0]: mark.kwargs["device"] for mark in item.iter_markers("hil") if "device" in mark.kwargs}
    end, profile = _only_argument(item, "hil_only"), _only_argument(item, "hil_profile")
    only = next((known for known in ENDS if known == end), None)
    if end is not None and only is None:
        raise pytest.UsageError(f"{item.nodeid}: hil_only: expected one of {', '.join(ENDS)}, found {end!r}")
    _check_profile(item, profile)
    return Wants(kinds, item.get_closest_marker("hil_destructive") is not None, only, profile, named)


def _hil(item: pytest.Item, mark: pytest.Mark) -> tuple[str, int, frozenset[str]]:
    kind = mark.args[0] if len(mark.args) == 1 else None
    if kind not in KINDS:
        raise pytest.UsageError(f"{item.nodeid}: hil: expected one of {', '.join(KINDS)}, found {mark.args}")
    unknown = set(mark.kwargs) - {"caps", "count", "device"}
    count, capabilities = mark.kwargs.get("count", 1), mark.kwargs.get("caps", ())
    if unknown or type(count) is not int or count < 1 or not _are_words(capabilities):
        raise pytest.UsageError(
            f"{item.nodeid}: hil: expected count (a number) and caps (a list of words), found {mark.kwargs}"
        )
    if "device" in mark.kwargs and (count != 1 or not isinstance(mark.kwargs["device"], str)):
        raise pytest.UsageError(f"{item.nodeid}: hil: expected device to be one name, found {mark.kwargs}")
    return kind, count, frozenset(capabilities)


def _are_words(capabilities: object) -> bool:
    found = capabilities if isinstance(capabilities, list | tuple | set | frozenset) else (None,)
    return all(isinstance(word, str) for word in found)


def _check_profile(item: pytest.Item, profile: str | None) -> None:
    if profile is None:
        return
    from emulators.fido_authenticator.profile import names  # noqa: PLC0415 - only where a profile is asked for

    if profile not in names():
        expected = ", ".join(names())
        raise pytest.UsageError(f"{item.nodeid}: hil_profile: expected one of {expected}, found {profile!r}")


def _only_argument(item: pytest.Item, name: str) -> str | None:
    mark = item.get_closest_marker(name)
    if mark is None:
        return None
    if len(mark.args) != 1 or not isinstance(mark.args[0], str) or mark.kwargs:
        raise pytest.UsageError(f"{item.nodeid}: {name}: expected one text, found {mark.args}")
    return mark.args[0]


def what_is_missing(wants: Wants, config: pytest.Config) -> str | None:
    """A sentence that names what the rig lacks for this test; None: nothing."""
    rig_file, mode = rig_file_of(config), config.getoption("--hil")
    mode = wants.only or mode if config.getoption("--hil") == "prefer-attached" else mode
    if wants.only is not None and mode != wants.only:
        return f"runs on {wants.only} devices only, and --hil {mode} was asked for"
    for kind, device in wants.named.items():
        if (missing := _missing_by_name(rig_file, mode, kind, device)) is not None:
            return missing
    for kind, count, capabilities in wants.kinds:
        if kind in wants.named:
            continue
        missing = _missing_of_kind(rig_file, mode, kind, count)
        if missing is None and kind == "fido":
            missing = _incapable(rig_file, mode, wants.profile, capabilities)
        if missing is not None:
            return missing
    if wants.profile is not None and mode == "attached":
        return f"wants an emulated key of profile {wants.profile}"
    return None


def _entries(rig_file: RigFile, kind: str) -> list[tuple[str, Any]]:
    return [(name, entry) for name, entry in rig_file.devices.items() if entry.__struct_config__.tag == kind]


def _missing_of_kind(rig_file: RigFile, mode: str, kind: str, count: int) -> str | None:
    entries = _entries(rig_file, kind)
    attached = 0 if mode == "emulated" else sum(entry.attached is not None for _, entry in entries)
    if mode != "attached" and any(entry.emulated is not None for _, entry in entries):
        return None  # as many as one likes
    which = "" if mode == "prefer-attached" else f"{mode} "
    return None if attached >= count else f"wants {count} {which}{kind}, and the rig has {attached}"


def _missing_by_name(rig_file: RigFile, mode: str, kind: str, device: str) -> str | None:
    entry = dict(_entries(rig_file, kind)).get(device)
    if entry is None:
        return f"wants the {kind} {device}, and the rig file has none of that name"
    end = "emulated" if entry.attached is None else "attached"
    return (
        None if mode in (end, "prefer-attached") else f"wants {device}, which is {end}, and --hil {mode} was asked for"
    )


def _incapable(rig_file: RigFile, mode: str, profile: str | None, capabilities: frozenset[str]) -> str | None:
    """The emulated key that would be lent cannot do something; what an attached one can, it says when it is lent."""
    entries = _entries(rig_file, "fido")
    if profile is None and mode != "emulated" and any(entry.attached is not None for _, entry in entries):
        return None
    for name, entry in entries:
        if entry.emulated is not None:  # the first one is what all are like
            like = entry.emulated if profile is None else EmulatedFido(profile=profile)
            lacking = capabilities - emulated_capabilities(like) - set(entry.capabilities)
            which = name if profile is None else f"a key of profile {profile}"
            return f"wants fido with {', '.join(sorted(lacking))}, which {which} has not" if lacking else None
    return None


@cache
def emulated_capabilities(emulated: EmulatedFido) -> frozenset[str]:
    """What a key of a profile can do, as one says itself that has been made for the question.

    Raises:
        pytest.UsageError: if there is no such profile.
    """
    from authrig.bench.bench import Bench  # noqa: PLC0415 - only where capabilities are asked for
    from emulators.env import SeededRandom  # noqa: PLC0415 - as above

    entry = Fido(emulated=EmulatedFido(profile=emulated.profile))
    with Bench(RigFile(version=1, devices={"key": entry}), SeededRandom(0), lambda _: None, "emulated") as bench:
        try:
            return bench.key("asked").capabilities()
        except RigError as error:
            raise pytest.UsageError(str(error)) from error
