"""The fixtures of the suite: hosts in front of ``key``, and what puts the key back as it was."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2, Info

from authrig.bench.clock import RigClock
from authrig.hil.session import rig_file_of
from authrig.ports.key import Key
from hil_tests.conftest import FAILED
from hil_tests.fido.hid import HidHost, host_on
from hil_tests.fido.host import ERR, RP_ID, Host, P

_PIN_IS_RIGHT = pytest.StashKey[bool]()


@pytest.fixture(autouse=True)
def exchange(request: pytest.FixtureRequest, key: Key) -> Iterator[None]:
    """The traffic of each test is on record, and that of a failed one in the report."""
    yield
    lines = key.exhibit_traffic()
    if request.node.stash.get(FAILED, False):
        request.node.user_properties.append(("exchange", "\n".join(lines)))


@pytest.fixture(autouse=True)
def right_pin(request: pytest.FixtureRequest, key: Key, exchange: None) -> None:
    """Of an attached key the PIN of the rig file is tried once: a wrong one must not spend the tries, case by case."""
    if not key.has_own_clock:
        return  # it was made with its PIN
    stash = request.config.stash
    if _PIN_IS_RIGHT not in stash:
        stash[_PIN_IS_RIGHT] = _pin_is_right(key)
    if not stash[_PIN_IS_RIGHT]:
        pytest.fail("the PIN in the rig file is not the key's, and no more tries are spent on it", pytrace=False)


def _pin_is_right(key: Key) -> bool:
    if "PIN" not in key.capabilities():
        return True
    with key.open() as device:
        try:
            Host(device, key.pin).token(P.MAKE_CREDENTIAL, RP_ID)
        except CtapError as error:
            if error.code in (ERR.PIN_INVALID, ERR.PIN_AUTH_BLOCKED, ERR.PIN_BLOCKED):
                return False
            raise
    return True


@pytest.fixture
def host(request: pytest.FixtureRequest, key: Key) -> Iterator[Host]:
    """A host with the key's PIN; credentials that it makes are deleted again."""
    with key.open() as device:
        host = Host(device, key.pin)
        yield host
        # After a failure the key may be in any state, and the failure is what is to be told.
        with suppress(*(Exception,) if request.node.stash.get(FAILED, False) else ()):
            host.tidy()


@pytest.fixture
def info(host: Host) -> Info:
    """What the key says about itself."""
    return host.info


@pytest.fixture
def hid(key: Key) -> Iterator[HidHost]:
    """A host that writes reports itself."""
    with host_on(key.open_connection()) as host:
        yield host


@pytest.fixture
def channel(hid: HidHost) -> int:
    """A channel of ``hid``."""
    return hid.allocate()


@pytest.fixture
def may_be_erased(key: Key, pytestconfig: pytest.Config) -> bool:
    """Whether what is on the key is nobody's: both the rig file and whoever runs this have to say so of an attached one."""
    entry = rig_file_of(pytestconfig).devices.get(key.name)
    of_nobody = entry is not None and entry.destructive and pytestconfig.getoption("--hil-destructive-ok")
    return not key.has_own_clock or bool(of_nobody)


@pytest.fixture
def let_pass(key: Key, clock: RigClock) -> Callable[[float], None]:
    """Lets so many seconds pass for the key: at once where it goes by the rig's clock."""
    return time.sleep if key.has_own_clock else clock.advance


def reset(key: Key) -> None:
    """Back to the factory: right after power-up, with a touch (CTAP 2.3 §6.6)."""
    key.restart()
    with key.open() as device:
        Ctap2(device).reset()


@pytest.fixture
def fido_reset(key: Key) -> Iterator[Callable[[], None]]:
    """The key as it left the factory, without a PIN; call it to reset it again. Afterwards it has its PIN again."""
    reset(key)
    yield lambda: reset(key)
    reset(key)
    key.ensure_pin()
