import time
from contextlib import closing

from server_stub.cloud.store import metadata as cloud_tables
from server_stub.limits import LOCK_FROM
from server_stub.metrics import rows
from server_stub.settings import Settings, database_of
from server_stub.store.database import Database
from server_stub.store.iam import metadata as iam_tables
from server_stub.sweep import CHALLENGE_MEMORY, sweep_cloud
from tests.server_stub.world import World, code_of, own_world


def count(settings: Settings, database: str, table: str) -> int:
    """How many rows a table has."""
    tables = {"iam": iam_tables, "cloud": cloud_tables}[database]
    with closing(Database(database_of(settings, database), tables)) as found:
        return found.run_now(rows, tables.tables[table])


def test_it_sweeps_by_itself(settings: Settings) -> None:
    """Nobody has to ask; without this, a rig that runs for weeks fills its disk."""
    with own_world(settings, sweep_interval=0.05) as world:
        browser, _, _ = world.at_the_qr_code()
        browser.qr()
        assert count(settings, "iam", "sessions") == 1
        world.clock.advance(CHALLENGE_MEMORY + 181)
        deadline = time.monotonic() + 10
        while count(settings, "iam", "sessions") or count(settings, "cloud", "challenges"):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_an_expired_challenge_is_kept_for_an_hour(settings: Settings) -> None:
    """A code that comes late is told that it is late."""
    with own_world(settings) as world:
        browser, _, _ = world.at_the_qr_code()
        browser.qr()
        now = world.clock.time()
    database = Database(database_of(settings, "cloud"), cloud_tables)
    kept, swept = (
        database.run_now(sweep_cloud, now + 180 + CHALLENGE_MEMORY + more)["challenges"] for more in (-10, 10)
    )
    database.close()
    assert (kept, swept) == (0, 1)


def test_wrong_attempts_fade_after_a_day_for_users_and_for_nobody_alike(world: World) -> None:
    """Locks do not: otherwise waiting would be the way around them, or tell who exists."""
    person = world.person()
    for name in (person.name, "nobody-who-fades"):
        browser = world.browser()
        browser.access("self-service")
        for _ in range(LOCK_FROM - 1):
            browser.password(name, "wrong")
        world.clock.advance(86401)
        world.admin.post("/admin/rest/sweep")
        browser.access("self-service")
        assert code_of(browser.password(name, "wrong")) == "USERNAME_PASSWORD_WRONG"
        assert "temporaryLockExpiry" not in browser.password(name, "wrong").json()["meta"]
