from dataclasses import replace

import pytest

from server_stub.addresses import caller, networks
from server_stub.criteria import Context, FromNetwork
from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.world import Browser, World, code_of, own_world


def from_address(world: World, address: str) -> Browser:
    """A browser behind our proxy."""
    browser = world.browser()
    browser.client.headers["X-Forwarded-For"] = address
    return browser


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", ["10.0.0.1"], "192.0.2.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["198.51.100.1", "192.0.2.7, 127.0.0.2"], "192.0.2.7"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7, x, 127.0.0.3"], "127.0.0.3"),
        ("127.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
        ("unknown", ["192.0.2.7"], "unknown"),
        ("::ffff:192.0.2.1", ["10.0.0.1"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7, ::ffff:127.0.0.9"], "192.0.2.7"),
        ("127.0.0.1", ["::FFFF:192.0.2.7"], "192.0.2.7"),
    ],
)
def test_a_forwarded_address_is_believed_as_far_as_trusted_proxies_wrote_it(
    peer: str, forwarded: list[str], address: str
) -> None:
    """What a stranger puts in front of the list changes nothing."""
    assert caller(peer, forwarded, networks(["127.0.0.0/8"])) == address


def test_a_network_of_mapped_addresses_is_the_network_itself() -> None:
    """Whichever way the address and the network are written, they fit."""
    assert networks(["::ffff:10.0.0.0/104", "2001:db8::/32"]) == networks(["10.0.0.0/8", "2001:db8::/32"])
    within = FromNetwork(networks(["10.0.0.0/8"]))
    assert [
        within.holds(Context("desk", address)) for address in ("10.1.2.3", "::ffff:10.1.2.3", "::ffff:11.0.0.1")
    ] == [
        True,
        True,
        False,
    ]


def test_an_address_that_guesses_too_often_waits_for_the_next_minute(settings: Settings) -> None:
    """Over all users; others are not affected, right answers do not count."""
    with own_world(settings, trusted_proxies=("127.0.0.0/8",), address_failure_limit=5) as world:
        people = [world.person() for _ in range(6)]
        world.clock.advance(60 - world.clock.time() % 60)
        for number in range(8):
            good = from_address(world, "192.0.2.9")
            good.access("self-service")
            assert good.password(people[number % 6].name).status_code == 200
        guesser = from_address(world, "192.0.2.1")
        guesser.access("self-service")
        for person in people[:5]:
            assert code_of(guesser.password(person.name, "wrong")) == "USERNAME_PASSWORD_WRONG"
        refused = guesser.password(people[5].name)
        assert (refused.status_code, code_of(refused)) == (429, "TOO_MANY_REQUESTS")
        assert "temporaryLockExpiry" in refused.json()["meta"]
        other = from_address(world, "192.0.2.2")
        other.access("self-service")
        assert other.password(people[5].name).status_code == 200
        world.clock.advance(60)
        assert guesser.password(people[5].name).status_code == 200


def test_a_proxy_network_that_is_none_is_one_sentence(settings: Settings) -> None:
    """It names the setting."""
    with (
        pytest.raises(ServerError, match=r"trusted_proxies: .*10\.0\.0\.0/99"),
        run_server(replace(settings, trusted_proxies=("10.0.0.0/99",))),
    ):
        pytest.fail("it started")
