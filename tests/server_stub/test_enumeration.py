"""Whether somebody exists: the same answers, and the same work for them, whoever is asked about."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, event

from server_stub.factors.password import PasswordHasher
from server_stub.store.prepared import Prepared
from tests.server_stub.api.test_first_steps import REMEMBERED
from tests.server_stub.world import Browser, World

METHODS: dict[str, tuple[str, Callable[[Browser, str], Any]]] = {
    "password": ("ebanking", lambda browser, name: browser.password(name, "wrong")),
    "password of a classroom": ("classroom", lambda browser, name: browser.password(name, "wrong")),
    "name": ("kiosk", lambda browser, name: browser.post("/username/check/", {"username": name})),
}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What the server does: statements by what they begin with, and hashes."""
    done: Counter[str] = Counter()
    matches = PasswordHasher.matches

    async def counted(self: PasswordHasher, password: str, stored: str | None) -> bool:
        done["hash"] += 1
        return await matches(self, password, stored)

    def count(statement: str) -> None:
        done[" ".join(re.findall(r"\w+", statement)[:3])] += 1

    def executed(*arguments: Any) -> None:
        count(arguments[2])

    run = Prepared._run  # the statements of a login go past the events of SQLAlchemy

    def ran(self: Prepared, *arguments: Any) -> Any:
        count(self._sql)
        return run(self, *arguments)

    monkeypatch.setattr(PasswordHasher, "matches", counted)
    monkeypatch.setattr(Prepared, "_run", ran)
    event.listen(Engine, "before_cursor_execute", executed)
    yield done
    event.remove(Engine, "before_cursor_execute", executed)


@pytest.mark.parametrize("method", METHODS)
def test_a_name_that_nobody_has_is_as_much_work_as_one_that_somebody_has(
    world: World, work: Counter[str], method: str
) -> None:
    """As many hashes and as many statements; and an equal answer but for what is another one each time."""
    application, ask = METHODS[method]
    told: list[tuple[Any, ...]] = []
    for name in (world.person().name, "nobody-at-all-1", world.person().name, "nobody-at-all-2"):
        browser = world.browser()
        browser.access(application)
        work.clear()
        response = ask(browser, name)
        document = re.sub(r'"(timestamp|id)":"[^"]*"', "", response.text)
        headers = {each for each in response.headers if each not in {"date", "set-cookie"}}
        told.append((response.status_code, document, headers, dict(work)))
    assert told[0] == told[1] == told[2] == told[3]
    assert len(told[0][3]) > 3, "statements are counted"
    assert told[0][3].get("hash", 0) == (0 if method == "name" else 1)


SIGNS = ["' OR '1'='1", "x'; DROP TABLE users; --", "%", "_", '"', "\\", "${7*7}", "../x", "<script>alert(1)</script>"]


@pytest.mark.parametrize("text", SIGNS)
def test_the_signs_of_sql_are_only_signs(world: World, text: str) -> None:
    """As a name they find nobody; as what somebody calls their browser they come back as they were."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    assert browser.password(text).status_code == 400
    assert world.admin.get(f"/admin/rest/users/{quote(text, safe='')}").status_code == 404
    assert browser.password(person.name).status_code == 200
    kept = browser.client.post(REMEMBERED, json={"displayName": text})
    assert kept.headers["content-type"] == "application/json"
    assert [each["attributes"]["displayName"] for each in browser.client.get(REMEMBERED).json()["data"]] == [text]
