import json
from pathlib import Path

import numpy as np
import pytest

from authrig.cli import main
from authrig.demo.runner import Flow, run_flows
from authrig.evidence.recorder import Recorder
from authrig.rig import Rig

ATTACKS = {
    "offline-qr-login": {"types the code with one digit off", "types the code of the last login again"},
    "transaction-approval": {"the code for CHF 1'250.00 is given for CHF 9'250.00"},
    "fido-login": {
        "asks the key for her credential under another RP ID",
        "an assertion for another RP ID",
        "mallory's credential in carol's login",
    },
    "badge-login": {"an insecure badge where policy forbids it", "a secure badge after the password changed"},
}


def test_the_demo_runs_every_flow_and_refuses_every_attack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `authrig demo --json` tells a script, and what its page shows a person."""
    assert main(["demo", "--json", "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passed"]
    assert {
        flow["name"]: {step["name"] for step in flow["steps"] if step["attack"]} for flow in told["flows"]
    } == ATTACKS
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") > 20
    assert "authenticatorMakeCredential" in page
    assert "rpIdHash" in page
    for loads_something in ("<script", "<link", "http-equiv=refresh", "url(", 'src="http'):
        assert loads_something not in page


def test_a_flow_that_deviates_is_told_and_does_not_stop_the_next(tmp_path: Path) -> None:
    """One broken device does not hide what the others do."""

    def fails(_rig: Rig, recorder: Recorder) -> None:
        recorder.expect("looks", "a code", "nothing")

    def passes(_rig: Rig, recorder: Recorder) -> None:
        recorder.expect("looks", "a code", "a code")

    flows = [Flow("one", "One", "", fails), Flow("two", "Two", "", passes)]
    with Rig(tmp_path, seed=1) as rig:
        results = list(run_flows(flows, rig))
    assert [(result.passed, result.failure) for result in results] == [
        (False, "looks: expected a code, found nothing"),
        (True, None),
    ]


def test_what_a_device_does_not_do_is_a_failed_flow(tmp_path: Path) -> None:
    """A key that refuses, a token without a review or code and a scanner with nothing before it end their flow only."""

    def refused(rig: Rig, _recorder: Recorder) -> None:
        options = {"challenge": "AAAA", "rpId": "localhost", "allowCredentials": [{"type": "public-key", "id": "AAAA"}]}
        rig.new_key("empty").get_assertion(rig.origin, options)

    def no_review(rig: Rig, _recorder: Recorder) -> None:
        rig.give_qr_token(rig.enrol("erna"), "QT1-00000005").read_review()

    def no_code(rig: Rig, _recorder: Recorder) -> None:
        rig.give_qr_token(rig.enrol("fritz"), "QT1-00000006").read_code()

    def nothing_to_read(rig: Rig, _recorder: Recorder) -> None:
        rig.scanner.scan(np.full((100, 100), 255, np.uint8))

    flows = [Flow(play.__name__, "", "", play) for play in (refused, no_review, no_code, nothing_to_read)]
    with Rig(tmp_path, seed=1) as rig:
        failures = [result.failure or "" for result in run_flows(flows, rig)]
    assert failures[0] == "the key's answer: expected OK, found NO_CREDENTIALS"
    assert failures[1].startswith("the screen of QT1-00000005: expected a review that ends, found ")
    assert failures[2].startswith("the screen of QT1-00000006: expected a code, found ")
    assert failures[3].endswith("expected a code, found none in the time that one would wait")


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The flows may run, but a script sees exit code 2 and a person sees why."""
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    assert main(["demo", "--json", "--out", str(occupied)]) == 2
    assert capsys.readouterr().err.startswith(f"authrig: the page cannot be written to {occupied}")
