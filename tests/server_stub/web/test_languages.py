import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.api.admin_routes import ADMIN_ROUTES
from server_stub.api.approval_routes import APPROVAL_ROUTES
from server_stub.api.public_routes import PUBLIC_ROUTES
from server_stub.flows.flow import Method
from server_stub.web.languages import choose, languages
from server_stub.web.rendering import FOLDER

TABLES = languages()
MADE_UP = {"AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED", "PUSH_OVER"}
"""Refusals of the REST that no page shows: one leads to the page where a device is chosen, the other is of an app's emulation."""


def places(message: str) -> set[str]:
    """What a message needs to be told."""
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_all_languages_have_the_same_messages_with_the_same_places() -> None:
    """So no page can be without words, or with a hole in them, in one language only."""
    first, *others = TABLES.values()
    assert others
    for other in others:
        assert other.messages.keys() == first.messages.keys()
        for key, message in first.messages.items():
            assert places(other.messages[key]) == places(message), (other.tag, key)
            assert other.messages[key].strip(), (other.tag, key)


def test_every_refusal_of_the_rest_has_words() -> None:
    """Nobody reads an error code."""
    codes = {code for route in (*PUBLIC_ROUTES, *APPROVAL_ROUTES, *ADMIN_ROUTES) for code in route.errors} - MADE_UP
    assert {code for code in codes if not TABLES["en"].has(f"refused.{code}")} == set()
    assert all(TABLES["en"].has(f"method.{method}") for method in Method)


def test_every_message_is_on_a_page() -> None:
    """What nothing says is not translated for nothing."""
    used = "".join(path.read_text() for path in FOLDER.rglob("*.html"))
    prefixes = {"language", "refused", "method", "script", "home", "self_service", "devices", "print"}
    prefixes |= {"admin_role", "admin_area", "admin_done", "admin_kind", "admin_state"}
    unused = [key for key in TABLES["en"].messages if key not in used and key.partition(".")[0] not in prefixes]
    assert unused == []
    asked = set(re.findall(r'say\("([a-z_.]+)"', used))
    assert {key for key in asked if not key.endswith(".")} <= TABLES["en"].messages.keys()


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, de;q=0.9, en;q=0.8", "de"),
        ("fr-CH, fr;q=0.9, de;q=0.5, en;q=0.4", "de"),
        ("en;q=0.2, de;q=0.3", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("tlh, x-klingon;q=1", "en"),
        ("de;q=nan", "en"),
        ("de;q=7", "en"),
        (";;;,,,=", "en"),
    ],
)
def test_the_browser_says_which_language(accept: str, expected: str) -> None:
    """By its weights; unknown languages and what is no header at all end in English."""
    assert choose(None, accept).tag == expected


def test_what_was_chosen_before_counts_more() -> None:
    """Unless it was a language that there is not."""
    assert choose("de", "en").tag == "de"
    assert choose("tlh", "de").tag == "de"


@given(st.text(max_size=200))
def test_no_header_breaks_it(accept: str) -> None:
    """Whatever comes is some language."""
    assert choose(None, accept).tag in TABLES
