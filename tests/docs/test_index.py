import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_every_page_is_on_the_index_and_every_link_leads_somewhere() -> None:
    """Nobody finds a page that nothing links to."""
    linked = {DOCS / link for link in re.findall(r"\]\(([^)#]+)", (DOCS / "index.md").read_text("utf-8"))}
    assert linked == set(DOCS.glob("*/*.md"))
