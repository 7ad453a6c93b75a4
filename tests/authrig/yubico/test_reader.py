import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from authrig.keys.key_file import KeyFile
from authrig.yubico.reader import Reader
from emulators.fido_authenticator.user import HandUser

CLIENT = """
import sys
from fido2.pcsc import CtapPcscDevice, _list_readers
readers = [reader for reader in _list_readers() if sys.argv[1].lower() in reader.name.lower()]
assert len(readers) == 1, readers
print(CtapPcscDevice(readers[0].createConnection(), readers[0].name).get_atr().hex())
"""


@pytest.mark.needs("pcscd", "unshare", "py:smartcard")
def test_the_suite_finds_one_reader_with_the_key_in_it(tmp_path: Path) -> None:
    """By the name that it is given, in the environment that it is given; as it looks for it itself."""
    key = KeyFile.create(tmp_path / "my.key", "yubikey-5.8")
    with closing(Reader()) as reader:
        port = reader.port(reader.fit(key), HandUser())
        port.power_on()
        environment = {**os.environ, **reader.settings("http://127.0.0.1:1")}
        command = [sys.executable, "-c", CLIENT, reader.arguments[1]]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        port.power_off()
    key.close()
    assert (found.stderr, found.stdout.strip()) == ("", key.profile.smart_card.atr.lower())
