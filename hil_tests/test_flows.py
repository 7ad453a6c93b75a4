"""Every flow of the demo as a test: each step is as it should be, and each attack is refused."""

import pytest

from authrig.demo.flows import FLOWS
from authrig.demo.runner import Flow
from authrig.evidence.recorder import Recorder
from authrig.rig import Rig


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_flow(flow: Flow, rig: Rig, evidence: Recorder) -> None:
    """The flow goes as it should, which includes that at least one attack was tried and all were refused."""
    flow.play(rig, evidence)
    assert all(step.passed for step in evidence.steps)
    assert any(step.evil for step in evidence.steps)
