"""A live privacyIDEA judges the device's codes: right, wrong, replayed, and for another challenge.

It needs a virtual environment of its own: ``python3 -m venv pi && pi/bin/pip install privacyidea``, and ``pi/bin`` on PATH.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.personalities.ocra_keypad import ocra_slot
from emulators.hwtoken.personalities.otp import otp_slot
from offline_qr.otpauth import OtpAccount, OtpType
from tests.emulators.hwtoken.token_bench import Bench

pytestmark = pytest.mark.needs("pi-manage")
KEY = b"12345678901234567890123456789012"
Post = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Posts to the server; gives the body of its answer."""
    manage = shutil.which("pi-manage")
    assert manage is not None
    command = [str(Path(manage).with_name("python")), str(Path(__file__).with_name("privacyidea_peer.py"))]
    here = tmp_path_factory.mktemp("privacyidea")
    with (
        (here / "stderr").open("wb") as errors,
        subprocess.Popen(
            command, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        stdin, stdout = server.stdin, server.stdout

        def send(path: str, **data: str) -> dict[str, Any]:
            stdin.write(json.dumps({"path": path, "data": data}) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
            assert answer["result"]["status"], answer
            return answer

        yield send
        stdin.close()


def accepts(post: Post, serial: str, code: str, **more: str) -> bool:
    """Whether the server takes ``code``."""
    return post("/validate/check", serial=serial, **{"pass": code}, **more)["result"]["value"] is True


@pytest.mark.parametrize("suite", ["OCRA-1:HOTP-SHA1-6:QN08", "OCRA-1:HOTP-SHA256-8:QN08"])
def test_a_typed_challenge_is_answered_once(post: Post, suite: str) -> None:
    """A wrong code first, then the right one, then the same again, then to another challenge."""
    serial = f"OC{suite[13:17].strip('-')}{suite[-6]}"
    post("/token/init", type="ocra", serial=serial, otpkey=KEY.hex(), ocrasuite=suite, genkey="0")
    memory = TokenMemory()
    memory.manufacture(serial)
    memory.update(slots=(ocra_slot("Bank", suite, KEY),))
    bench = Bench("ocra-keypad", memory)
    bench.token.power_on()
    asked = post("/validate/triggerchallenge", serial=serial)["detail"]
    transaction = asked["transaction_id"]
    bench.ok()
    bench.type(asked["attributes"]["challenge"])
    code = bench.code()
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert not accepts(post, serial, wrong, transaction_id=transaction)
    assert accepts(post, serial, code, transaction_id=transaction)
    assert not accepts(post, serial, code, transaction_id=transaction)
    other = post("/validate/triggerchallenge", serial=serial)["detail"]["transaction_id"]
    assert not accepts(post, serial, code, transaction_id=other)


def test_passcodes_by_counter_are_taken_once_and_found_ahead(post: Post) -> None:
    """The user pressed three times too often: still in the look-ahead; the one before is dead then."""
    post("/token/init", type="hotp", serial="HO1", otpkey=KEY.hex(), otplen="6", hashlib="sha256", genkey="0")
    memory = TokenMemory()
    memory.manufacture("HO1")
    memory.update(slots=(otp_slot(OtpAccount(OtpType.HOTP, KEY, "alice", algorithm="SHA256")),))
    bench = Bench("otp-6digit", memory)
    bench.token.power_on()
    codes = []
    for _ in range(4):
        bench.ok()
        codes.append(bench.code())
        bench.ok()
    assert accepts(post, "HO1", codes[3])
    assert [accepts(post, "HO1", code) for code in codes] == [False] * 4
