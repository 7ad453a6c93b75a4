"""The page that shows what the flows did: one file, no script, nothing loaded from anywhere."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from authrig.demo.runner import FlowResult


def render_page(flows: "Sequence[FlowResult]", seed: int) -> str:
    """The HTML page of ``flows``, whose devices were seeded with ``seed``."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("authrig.evidence"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["base64"] = lambda png: base64.b64encode(png).decode()
    return environment.get_template("demo.html.j2").render(
        flows=flows,
        passed=sum(flow.passed for flow in flows),
        seed=seed,
        version=version("authrig"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )
