import threading
from collections.abc import Callable

from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.hid import CtapHidDevice

from emulators.fido_authenticator.user import AutomaticUser, HandUser
from tests.vm.conftest import Plug, wait_for


def _devices() -> dict[str | None, CtapHidDevice]:
    """What python-fido2, unmodified, finds by itself, by serial number."""
    return {device.serial_number: device for device in CtapHidDevice.list_devices()}


def _in_thread(action: Callable[[], object]) -> tuple[threading.Thread, list[BaseException | None]]:
    """Run ``action`` beside the test; the list gets the error that it ended with, or None."""
    ended = list[BaseException | None]()

    def act() -> None:
        try:
            action()
        except (CtapError, OSError) as error:
            ended.append(error)
        else:
            ended.append(None)

    thread = threading.Thread(target=act)
    thread.start()
    return thread, ended


def test_two_keys_are_found_and_the_touched_one_answers(plug: Plug) -> None:
    """Each under its own name; the one that nobody touches keeps waiting until it is cancelled."""
    touched, ignored = HandUser(), AutomaticUser(None)
    one, two = plug("one", touched), plug("two", ignored)
    assert one.path != two.path
    devices = _devices()
    assert sorted(map(str, devices)) == ["one", "two"]
    assert {device.descriptor.pid for device in devices.values()} == {0x0001}
    cancel = threading.Event()
    first, first_end = _in_thread(lambda: Ctap2(devices["one"]).selection())
    second, second_end = _in_thread(lambda: Ctap2(devices["two"]).selection(event=cancel))
    assert wait_for(touched.touch)
    first.join(timeout=30)
    assert first_end == [None]
    assert second_end == []
    cancel.set()
    second.join(timeout=30)
    assert isinstance(second_end[0], CtapError)
    assert second_end[0].code == CtapError.ERR.KEEPALIVE_CANCEL
    for device in devices.values():
        device.close()


def test_unplugging_one_key_leaves_the_other(plug: Plug) -> None:
    """Who waits for a touch on it is told; afterwards only the other one is found."""
    blinking = HandUser()
    one, two = plug("one", blinking), plug("two")
    assert one.path != two.path
    devices = _devices()
    waiting, ended = _in_thread(lambda: Ctap2(devices["one"]).selection())
    wait_for(lambda: blinking.pending)
    one.unplug()
    waiting.join(timeout=30)
    assert isinstance(ended[0], OSError)
    Ctap2(devices["two"]).selection()
    for device in devices.values():
        device.close()
    assert list(_devices()) == ["two"]


def test_a_ping_returns(plug: Plug) -> None:
    """Through python-fido2's own framing, from nothing to the longest message."""
    key = plug()
    assert key.path
    (device,) = _devices().values()
    data = bytes(range(256)) * 30
    for size in (0, 1, 57, 58, 1200, key.longest_message):
        assert device.ping(data[:size]) == data[:size]
    device.close()
