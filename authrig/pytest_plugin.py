"""The pytest plugin: a rig as a fixture. It imports nothing of the rig until a test asks for one."""

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from authrig.rig import Rig

pytest_plugins = ("authrig.playwright_webcam",)
_SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the rig."""
    group = parser.getgroup("authrig", "hardware in the loop")
    group.addoption(
        "--hil-seed", type=int, help="seed of the emulated devices; drawn and printed in the header when not given"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed once for the whole run, on every worker the same."""
    given = config.getoption("--hil-seed")
    workers_input: dict[str, int] = getattr(config, "workerinput", {})
    config.stash[_SEED] = workers_input.get("hil_seed", secrets.randbelow(2**31)) if given is None else given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "object") -> None:
    """Tell a worker of pytest-xdist the seed."""
    node.workerinput["hil_seed"] = node.config.stash[_SEED]  # type: ignore[attr-defined]  # xdist has no types


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed: with it a failed run can be repeated."""
    return f"authrig: --hil-seed {config.stash[_SEED]}"


@pytest.fixture(scope="session")
def rig(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Rig"]:
    """A rig with a running server; devices are made as a test asks for them."""
    from authrig.rig import Rig  # noqa: PLC0415 - pytest starts quickly for those who do not ask for a rig

    with Rig(tmp_path_factory.mktemp("rig"), seed=pytestconfig.stash[_SEED]) as started:
        yield started
