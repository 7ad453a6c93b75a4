import subprocess
import sys

PROGRAM = """
import gc
from pathlib import Path
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid

def resident():
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

def key():
    hid = CtapHid(Authenticator(Env.real()))
    assert hid.authenticator.start(bytes((4,))).answer[0] == 0
    return hid

warm = [key() for _ in range(20)]
before = resident()
keys = [key() for _ in range(1000)]
print((resident() - before) / len(keys))
"""


def test_a_thousand_keys_take_at_most_64_kib_each() -> None:
    """A load test can have them all in one process; each has been asked for its getInfo."""
    shown = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert 0 < float(shown) <= 64
