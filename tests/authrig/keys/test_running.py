from contextlib import ExitStack
from pathlib import Path

import pytest

from authrig.keys.key_file import KeyFile
from authrig.keys.running import RunOptions, _authenticators
from authrig.keys.wires import Listen
from emulators.fido_authenticator.transports.uhid import LONGEST_MESSAGE


def _options(transport: str, *files: Path) -> RunOptions:
    return RunOptions(
        files=files,
        profile=None,
        transport=transport,
        listen=Listen(),
        reader_address=("127.0.0.1", 1),
        by_hand=False,
        control_port=None,
        traffic=False,
    )


@pytest.mark.parametrize(("transport", "longest"), [("uhid", LONGEST_MESSAGE), ("usbip", 7609), ("pty", 7609)])
def test_a_key_promises_no_more_than_its_wire_carries(tmp_path: Path, transport: str, longest: int) -> None:
    """A host keeps to what getInfo says, so on uhid no report of a long message is dropped by the kernel."""
    KeyFile.create(tmp_path / "my.key").close()
    with ExitStack() as opened:
        for options in (_options(transport), _options(transport, tmp_path / "my.key")):
            (key,) = _authenticators(options, opened)
            assert key.profile.limits.max_msg_size == longest
