import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/reference/conformance.md"
TESTS = Path(__file__).parents[1] / "emulators/fido_authenticator"


def test_every_test_that_the_page_names_exists() -> None:
    """A claim whose test was renamed or removed is noticed."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 60
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not re.search(rf"^(def {test}\(|{test} = )", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []
