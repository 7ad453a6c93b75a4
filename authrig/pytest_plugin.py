"""The pytest plugin: devices as fixtures. It imports nothing of the rig until a test asks for one.

docs/reference/pytest-plugin.md lists the fixtures, markers and options.
"""

import secrets
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from authrig.errors import LacksError

if TYPE_CHECKING:
    from authrig.bench.clock import RigClock
    from authrig.evidence.recorder import Recorder
    from authrig.hil.wants import Wants
    from authrig.ports.key import Key
    from authrig.ports.presence import Presence
    from authrig.ports.qr_token import QrToken
    from authrig.ports.scanner import Scanner
    from authrig.ports.verification_server import VerificationServer
    from authrig.rig import Rig

pytest_plugins = ("authrig.playwright_webcam",)
_SEED = pytest.StashKey[int]()
_WRONG = pytest.StashKey[str]()
_FAILED = pytest.StashKey[bool]()
_WANTS: "pytest.StashKey[Wants]" = pytest.StashKey()
MODES = ("prefer-attached", "emulated", "attached")
TRANSPORTS = ("in-process", "pty", "tcp", "uhid", "usbip")
CLOCKS = ("real", "simulated")
EVIDENCE = ("on-failure", "always", "off")
MARKERS = (
    'hil(kind, caps=[...], count=1): wants so many devices of this kind ("fido", "qr-token", "scanner"), with these caps',
    'hil(kind, device="name"): wants the one that the rig file calls so',
    "hil_destructive: erases the device; attached ones only with --hil-destructive-ok and destructive = true",
    'hil_only(end): runs on "emulated" or on "attached" devices only',
    "hil_profile(name): runs on an emulated key of this profile",
    "clause(text): the clause of a specification that the case is about; reports show it",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the rig."""
    group = parser.getgroup("authrig", "hardware in the loop")
    group.addoption("--rig", type=Path, metavar="FILE", help="the rig file; without one every device is emulated")
    group.addoption("--hil", choices=MODES, default=MODES[0], help="which devices are used (default: %(default)s)")
    group.addoption("--hil-transport", choices=TRANSPORTS, help="how emulated keys are plugged in")
    group.addoption(
        "--hil-seed", type=int, help="seed of the emulated devices; drawn and printed in the header when not given"
    )
    group.addoption(
        "--hil-clock",
        choices=CLOCKS,
        default=CLOCKS[0],
        help="what emulated devices go by; a simulated clock stands still until a test lets time pass",
    )
    group.addoption(
        "--hil-evidence",
        choices=EVIDENCE,
        default=EVIDENCE[0],
        help="of which tests to keep evidence (default: %(default)s)",
    )
    group.addoption(
        "--hil-artifacts",
        type=Path,
        default=Path("out/hil"),
        metavar="DIR",
        help="where it goes (default: %(default)s)",
    )
    group.addoption(
        "--hil-report", type=Path, metavar="FILE", help="write a page on the run: each test with its evidence in time"
    )
    group.addoption(
        "--hil-report-before", type=Path, metavar="FILE", help="the page of a former run, to say what has changed"
    )
    group.addoption(
        "--hil-require", action="store_true", help="a test whose device is missing fails instead of being skipped"
    )
    group.addoption("--hil-destructive-ok", action="store_true", help="allow tests that erase attached devices")


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and choose the seed once for the whole run, on every worker the same."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    given = config.getoption("--hil-seed")
    workers_input: dict[str, int] = getattr(config, "workerinput", {})
    config.stash[_SEED] = workers_input.get("hil_seed", secrets.randbelow(2**31)) if given is None else given

    if config.getoption("--rig") is not None and not hasattr(config, "workerinput"):
        from authrig.hil.session import rig_file_of  # noqa: PLC0415 - only where there is one

        rig_file_of(config)
    if config.getoption("--hil-report") is not None and not hasattr(config, "workerinput"):
        from authrig.hil.run_page import RunPage  # noqa: PLC0415 - only where a page is wanted

        config.pluginmanager.register(RunPage(config, config.stash[_SEED]), "authrig-run-page")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "object") -> None:
    """Tell a worker of pytest-xdist the seed."""
    node.workerinput["hil_seed"] = node.config.stash[_SEED]  # type: ignore[attr-defined]  # xdist has no types


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed: with it a failed run can be repeated."""
    rig = config.getoption("--rig")
    return f"authrig: --hil-seed {config.stash[_SEED]}" + (
        f" --rig {rig} --hil {config.getoption('--hil')}" if rig else ""
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the markers once, so that a mistake in one is known before anything runs."""
    marked = [item for item in items if any(mark.name.startswith("hil") for mark in item.iter_markers())]
    if marked:
        from authrig.hil.wants import read_wants  # noqa: PLC0415 - only where there are markers

        for item in marked:
            try:
                item.stash[_WANTS] = read_wants(item)
            except pytest.UsageError as error:
                if not hasattr(config, "workerinput"):
                    raise
                # What ends a worker of pytest-xdist so early ends the run without a word.
                item.stash[_WRONG] = str(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Skip, or fail with --hil-require, what wants devices that the rig does not have."""
    if _WRONG in item.stash:
        pytest.fail(item.stash[_WRONG], pytrace=False)
    if _WANTS in item.stash:
        from authrig.hil.wants import what_is_missing  # noqa: PLC0415 - as above

        missing = what_is_missing(item.stash[_WANTS], item.config)
        if missing:
            _does_not_apply(item, missing)
    return (yield from _skipped_where_the_rig_lacks(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """The same for what a test asks for while it runs."""
    return (yield from _skipped_where_the_rig_lacks(item))


def _skipped_where_the_rig_lacks(item: pytest.Item) -> Generator[None, object, object]:
    try:
        return (yield)
    except LacksError as error:
        _does_not_apply(item, str(error))


def _does_not_apply(item: pytest.Item, why: str) -> NoReturn:
    if item.config.getoption("--hil-require"):
        pytest.fail(f"{why}, and --hil-require asks for every device", pytrace=False)
    pytest.skip(why)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
    """Remember whether the test failed, for what takes its devices back."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def _hil_rig(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Rig]":
    from authrig.hil.session import make_rig  # noqa: PLC0415 - pytest starts quickly for those who do not ask for a rig

    folder = tmp_path_factory.mktemp("rig")
    with make_rig(pytestconfig, folder, pytestconfig.stash[_SEED]) as started:
        yield started


@pytest.fixture
def evidence(request: pytest.FixtureRequest, _hil_rig: "Rig") -> "Iterator[Recorder]":
    """What the test's devices do, step by step; it is kept when the test fails, or always, as --hil-evidence says."""
    from authrig.evidence.recorder import Recorder  # noqa: PLC0415 - as above

    recorder, began = Recorder(monotonic=_hil_rig.bench.clock.monotonic), _hil_rig.bench.clock.time()
    _hil_rig.watch(recorder.exhibit)
    yield recorder
    failed = request.node.stash.get(_FAILED, False)
    wanted = request.config.getoption("--hil-evidence")
    if wanted == "always" or (wanted == "on-failure" and failed):
        from authrig.hil.session import keep_evidence  # noqa: PLC0415 - as above

        keep_evidence(recorder, _hil_rig.audit_rows(began), request.node, request.config, request.config.stash[_SEED])


@pytest.fixture
def rig(request: pytest.FixtureRequest, _hil_rig: "Rig", evidence: "Recorder") -> "Iterator[Rig]":  # noqa: ARG001 - recorded from the start
    """A rig: a server that starts when it is asked for, and devices, which are taken back at the end of the test."""
    from authrig.hil.session import terms_of  # noqa: PLC0415 - as above

    _hil_rig.bench.terms = terms_of(request.node.stash.get(_WANTS, None), request.config)
    yield _hil_rig
    _hil_rig.take_back(broken=request.node.stash.get(_FAILED, False))


@pytest.fixture
def keys(request: pytest.FixtureRequest, rig: "Rig") -> "list[Key]":
    """As many security keys as the test's marker counts, one without a marker."""
    from authrig.hil.session import lend_keys  # noqa: PLC0415 - as above

    return lend_keys(rig, request.node.stash.get(_WANTS, None))


@pytest.fixture
def key(keys: "list[Key]") -> "Key":
    """A security key with a PIN, touched as soon as it blinks."""
    return keys[0]


@pytest.fixture
def presence(key: "Key") -> "Presence":
    """Who touches ``key``: hold the finger back with ``presence.held_back()``, touch with ``presence.touch()``."""
    return key.presence


@pytest.fixture
def qr_token(request: pytest.FixtureRequest, rig: "Rig") -> "QrToken":
    """A QR token that no server knows yet; ``rig.give_qr_token`` lends one that ours does."""
    from authrig.hil.session import lend_qr_token  # noqa: PLC0415 - as above

    return lend_qr_token(rig, request.node.stash.get(_WANTS, None)).port


@pytest.fixture
def scanner(request: pytest.FixtureRequest, rig: "Rig") -> "Scanner":
    """The scanner on the desk."""
    from authrig.hil.session import lend_scanner  # noqa: PLC0415 - as above

    return lend_scanner(rig, request.node.stash.get(_WANTS, None))


@pytest.fixture
def verification_server(rig: "Rig") -> "VerificationServer":
    """The server; our own starts when it is first asked for, and serves all tests of the run."""
    return rig.server


@pytest.fixture
def clock(rig: "Rig") -> "RigClock":
    """The clock of all that is emulated: ``clock.advance(seconds)`` lets time pass at once."""
    return rig.bench.clock
