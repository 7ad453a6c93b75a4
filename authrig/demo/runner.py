"""Runs flows one after the other on one rig and keeps what each did."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from authrig.errors import Deviation
from authrig.evidence.recorder import Recorder, Step
from authrig.rig import Rig


@dataclass(frozen=True, slots=True)
class Flow:
    """A story that a rig can play: ``play(rig, recorder)`` raises Deviation where it does not go as it should."""

    name: str
    title: str
    story: str
    play: Callable[[Rig, Recorder], None]


@dataclass(frozen=True, slots=True)
class FlowResult:
    """What became of a flow. ``failure`` is the sentence that says what went wrong, or None; ``seconds`` is its length."""

    name: str
    title: str
    story: str
    steps: tuple[Step, ...]
    seconds: float
    failure: str | None

    @property
    def passed(self) -> bool:
        """Whether every step did what it should."""
        return self.failure is None


def run_flows(
    flows: Sequence[Flow], rig: Rig, *, on_step: Callable[[Flow, Step], None] | None = None
) -> Iterator[FlowResult]:
    """Play ``flows`` in order; a flow that deviates does not keep the next from running."""
    for flow in flows:
        begun = time.monotonic()

        def tell(step: Step, flow: Flow = flow) -> None:
            if on_step is not None:
                on_step(flow, step)

        recorder = Recorder(on_step=tell)
        rig.watch(recorder.exhibit)
        failure = None
        try:
            flow.play(rig, recorder)
        except Deviation as deviation:
            failure = str(deviation)
        yield FlowResult(flow.name, flow.title, flow.story, tuple(recorder.steps), time.monotonic() - begun, failure)
