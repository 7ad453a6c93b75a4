"""Every flow of the demo as a test: each step is as it should be, and each attack is refused."""

import pytest

from authrig.demo.flows import FLOWS
from authrig.demo.runner import Flow
from authrig.evidence.recorder import Recorder
from authrig.rig import Rig


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_flow(flow: Flow, rig: Rig) -> None:
    """The flow goes as it should, which includes that at least one attack was tried and all were refused."""
    recorder = Recorder()
    rig.watch(recorder.exhibit)
    flow.play(rig, recorder)
    assert all(step.passed for step in recorder.steps)
    assert any(step.evil for step in recorder.steps)
