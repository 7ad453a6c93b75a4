"""Metrics as Prometheus reads them."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server_stub.metrics import Metrics, Sample, exposition, iam_gauges
from server_stub.settings import Settings
from server_stub.store.database import Database
from server_stub.store.iam import audit, metadata
from tests.server_stub.postgresql import new_database, running_postgresql
from tests.server_stub.world import NO_TLS, World, own_world

NOW = 1_767_225_600.0


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Each sample's value, by name and labels, as Prometheus' own client reads the text."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(url: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What a server tells."""
    response = httpx.get(f"{url}/metrics", verify=NO_TLS)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return parsed(response.text)


def events(event: str, outcome: str, part: str = "iam") -> Any:
    """The name and labels of a counter."""
    return f"authrig_{part}_events_total", (("event", event), ("outcome", outcome))


def test_logins_and_refusals_are_counted_and_nobody_is_named(settings: Settings) -> None:
    """And what is there at the moment, in the IAM and in its cloud."""
    with own_world(settings) as world:
        before = scraped(world.server.internal_url)
        person, browser = world.person(), world.browser()
        device = world.device(person)
        browser.access("ebanking")
        browser.password(person.name, "wrong")
        browser.password(person.name)
        browser.otp(device.code(browser.qr()))
        text = httpx.get(f"{world.server.internal_url}/metrics", verify=NO_TLS).text
        after = parsed(text)
        assert after[events("password", "wrong")] == 1
        assert after[events("login", "authenticated")] == 1
        assert after["authrig_iam_sessions", (("state", "authenticated"),)] == 1
        assert after["authrig_iam_users", ()] == before["authrig_iam_users", ()] + 1
        cloud = scraped(world.server.cloud_url)
        assert cloud[events("challenge.verify", "approved", "cloud")] == 1
        assert cloud["authrig_cloud_tokens", (("kind", "qr"), ("state", "active"))] == 1
        for secret in (person.name, person.id, device.serial, device.id):
            assert secret not in text
        world.clock.advance(3601)
        assert scraped(world.server.internal_url)["authrig_iam_sessions", (("state", "authenticated"),)] == 0


def test_a_lock_is_seen(world: World) -> None:
    """Temporary ones apart from those that only an administrator ends."""
    name, lock = "authrig_iam_locked", (("lock", "temporary"),)
    before = scraped(world.server.internal_url)[name, lock]
    browser, person = world.browser(), world.person()
    browser.access("ebanking")
    for _ in range(5):
        browser.password(person.name, "wrong")
    assert scraped(world.server.internal_url)[name, lock] == before + 1


def test_the_public_port_tells_no_metrics(world: World) -> None:
    """They are for machines beside the server."""
    assert httpx.get(f"{world.server.public_url}/metrics", verify=NO_TLS).status_code == 404


@pytest.fixture
def two(where: Path | str) -> Any:
    """Two workers on one database, of each kind."""
    databases = [Database(where, metadata) for _ in range(2)]
    yield databases
    for each in databases:
        each.close()


def test_any_worker_tells_the_same_and_counters_never_fall(two: list[Database]) -> None:
    """Also when two scrapes of one worker meet, and while others write."""
    workers = [Metrics("x", database, audit, iam_gauges, lambda: NOW) for database in two]
    name = ("x_events_total", (("event", "login"), ("outcome", "done")))

    def value(text: str) -> float:
        return parsed(text).get(name, 0.0)

    async def scrape_and_write() -> list[list[float]]:
        seen: list[list[float]] = []
        for number in range(20):
            log: Callable[..., Any] = two[number % 2].run_aside
            found = await asyncio.gather(
                workers[0].text(), workers[0].text(), workers[1].text(), log(audit.append, NOW, "login", "done")
            )
            seen.append([value(str(text)) for text in found[:3]])
        seen.append([value(await worker.text()) for worker in (workers[0], workers[0], workers[1])])
        return seen

    seen = asyncio.run(scrape_and_write())
    assert seen[-1] == [20.0, 20.0, 20.0]
    for worker in range(3):
        told = [each[worker] for each in seen]
        assert told == sorted(told)


def test_whatever_stands_in_a_label_stays_in_it() -> None:
    """Flows have the names that their owner gave them."""
    name = 'a"b\\c\nd {x="y"} 7'
    assert parsed(exposition([Sample("m", "x", 1.0, {"flow": name})])) == {("m", (("flow", name),)): 1.0}


@pytest.mark.needs("pg_ctl")
def test_health_says_when_the_database_is_gone(settings: Settings) -> None:
    """Whoever asks takes the worker out of service; no metrics then either, and never a 500."""
    with ExitStack() as database, ExitStack() as stack:
        url = new_database(database.enter_context(running_postgresql()).url, "health")
        world = stack.enter_context(own_world(settings, database_url=url))
        urls = (world.server.public_url, world.server.internal_url, world.server.cloud_url)
        assert [httpx.get(f"{each}/health", verify=NO_TLS).status_code for each in urls] == [200] * 3
        database.close()
        assert [httpx.get(f"{each}/health", verify=NO_TLS).status_code for each in urls] == [503] * 3
        assert httpx.get(f"{world.server.internal_url}/metrics", verify=NO_TLS).status_code == 503
