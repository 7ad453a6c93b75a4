import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/key-on-a-pty.md"
AUTHRIG = str(Path(sys.executable).with_name("authrig"))


@pytest.mark.needs("fido2-token", "fido2-cred", "fido2-assert")
def test_the_commands_of_the_page_log_in(tmp_path: Path) -> None:
    """As they stand there: what a shell is told in the second terminal, once the first has printed a path."""
    first, *rest = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    served = [line.removeprefix("$ authrig ").split() for line in first.splitlines() if line.startswith("$ ")]
    subprocess.run([AUTHRIG, *served[0]], cwd=tmp_path, check=True, capture_output=True)
    command = [AUTHRIG, *served[1]]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as serving:
        assert serving.stdout is not None
        path = serving.stdout.readline().strip()
        script = "set -e\n" + "".join(rest).replace("/dev/pts/3", path)
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )
        serving.terminate()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "accepted"
    assert "FIDO_2_1" in done.stdout
