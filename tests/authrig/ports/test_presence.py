import pytest
from fido2.ctap import CtapDevice, CtapError

from authrig.attached.hands import NoFinger
from authrig.ports.presence import Presence, TouchedDevice


class SlowHost(CtapDevice):
    """A device to which the first messages arrive too slowly."""

    capabilities = 0

    def __init__(self, too_slow: int, code: CtapError.ERR = CtapError.ERR.TIMEOUT) -> None:
        self.sent = 0
        self._too_slow = too_slow
        self._code = code

    def call(self, cmd: int, data: bytes = b"", event: object = None, on_keepalive: object = None) -> bytes:
        """Fail so often."""
        del cmd, event, on_keepalive
        self.sent += 1
        if self.sent <= self._too_slow:
            raise CtapError(self._code)
        return data

    def close(self) -> None:
        """Nothing is open."""

    @classmethod
    def list_devices(cls) -> "list[CtapDevice]":  # type: ignore[override]  # nobody lists it
        """None."""
        return []


def test_a_message_that_arrived_too_slowly_is_sent_again() -> None:
    """A busy machine is not the key's fault."""
    device = SlowHost(too_slow=2)
    assert TouchedDevice(device, Presence(NoFinger())).call(0x10, b"ask") == b"ask"
    assert device.sent == 3


@pytest.mark.parametrize(("code", "sent"), [(CtapError.ERR.TIMEOUT, 4), (CtapError.ERR.INVALID_SEQ, 1)])
def test_it_is_not_sent_for_ever(code: CtapError.ERR, sent: int) -> None:
    """And not after any other error."""
    device = SlowHost(too_slow=99, code=code)
    with pytest.raises(CtapError, match=code.name):
        TouchedDevice(device, Presence(NoFinger())).call(0x10, b"ask")
    assert device.sent == sent
