import pytest

from authrig.keys.wires import fitted
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.uhid import LONGEST_MESSAGE


@pytest.mark.parametrize("transport", ["pty", "tcp", "usbip", "in-process"])
def test_other_wires_carry_all_that_a_key_promises(transport: str) -> None:
    """Nothing of the profile changes."""
    assert fitted(load(), transport) == load()


def test_on_uhid_a_key_promises_what_the_kernels_queue_holds() -> None:
    """And nothing else of it changes."""
    profile = fitted(load(), "uhid")
    assert profile.limits.max_msg_size == LONGEST_MESSAGE < load().limits.max_msg_size
    assert profile.timing == load().timing
