"""Limits per address: how many wrong answers one address may give in a minute, and which address a request is from."""

import functools
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    case,
    delete,
    select,
    update,
)

from server_stub.errors import ApiError
from server_stub.store.prepared import Prepared
from server_stub.store.upsert import insert_into

MANY = 2**31 - 1
WINDOW = 60
"""Seconds in which wrong answers are counted together."""
WRONG = frozenset(
    {
        "USERNAME_PASSWORD_WRONG",
        "OTP_WRONG",
        "BADGE_WRONG",
        "FIDO_ASSERTION_WRONG",
        "TICKET_WRONG",
        "OIDC_RESPONSE_WRONG",
    }
)
"""Refusals that a guess would get."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressLimits:
    """The table of wrong answers by address: a row per address, for the minute in which it was last heard of."""

    def __init__(self, metadata: MetaData) -> None:
        self._table = Table(
            "address_failures",
            metadata,
            Column("address", String, primary_key=True),
            Column("window", Integer, nullable=False),
            Column("failures", Integer, nullable=False),
        )
        table = self._table
        this = (table.c.address == bindparam("of")) & (table.c.window == bindparam("in"))
        self._reserve: dict[str, Prepared] = {}
        self._release = Prepared(update(table).where(this, table.c.failures > 0).values(failures=table.c.failures - 1))
        self._failures = Prepared(select(table.c.failures).where(this).with_for_update())

    def reserve(self, connection: Connection, address: str, now: float, limit: int) -> None:
        """Count one answer as wrong until ``release`` says otherwise: one conditional update.

        Raises:
            ApiError: 429 if ``limit`` is reached in this minute.
        """
        window = int(now // WINDOW)
        statement = self._reserve.get(connection.dialect.name)
        if statement is None:
            statement = self._reserve[connection.dialect.name] = self._reservation(connection)
        counted = statement.scalar(connection, {"of": address, "in": window, "limit": limit})
        if counted is None:
            raise _too_many(window)

    def _reservation(self, connection: Connection) -> Prepared:
        table = self._table
        window: BindParameter[int] = bindparam("in")
        more = case((table.c.window == window, table.c.failures + 1), else_=1)
        return Prepared(
            insert_into(connection, table)
            .values(address=bindparam("of"), window=window, failures=1)
            .on_conflict_do_update(
                index_elements=["address"],
                set_={"window": window, "failures": more},
                where=(table.c.window != window) | (table.c.failures < bindparam("limit")),
            )
            .returning(table.c.failures)
        )

    def check(self, connection: Connection, address: str, now: float, limit: int) -> None:
        """Let in who may still guess, for a transaction that ends with ``count`` if the guess was wrong.

        On PostgreSQL an address that was wrong lately waits for its other guesses.

        Raises:
            ApiError: 429 if ``limit`` is reached in this minute.
        """
        window = int(now // WINDOW)
        failures = self._failures.scalar(connection, {"of": address, "in": window})
        if failures is not None and failures >= limit:
            raise _too_many(window)

    def hold(self, connection: Connection, address: str, now: float) -> None:
        """Keep other guesses of this address waiting until the transaction ends, where rows can be held: on PostgreSQL."""
        if connection.dialect.name == "postgresql":
            self._failures.scalar(connection, {"of": address, "in": int(now // WINDOW)})

    def count(self, connection: Connection, address: str, now: float) -> None:
        """The answer was wrong."""
        self.reserve(connection, address, now, MANY)

    def release(self, connection: Connection, address: str, now: float) -> None:
        """The answer was not wrong after all."""
        self._release.changed(connection, {"of": address, "in": int(now // WINDOW)})

    def forget(self, connection: Connection, now: float) -> int:
        """Forget the minutes that are over; how many rows that were."""
        return connection.execute(delete(self._table).where(self._table.c.window < int(now // WINDOW))).rowcount

    def limited(self, handler: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        """``handler``, an answer to something that could be guessed, for callers who have not guessed too often."""

        @functools.wraps(handler)
        async def guarded(iam: Any, call: Any) -> Any:
            limit: int = iam.settings.address_failure_limit
            await iam.database.run(self.reserve, call.client, iam.now(), limit)
            wrong = False
            try:
                return await handler(iam, call)
            except ApiError as error:
                wrong = error.code in WRONG
                raise
            finally:
                if not wrong:
                    await iam.database.run(self.release, call.client, iam.now())

        return guarded


def _too_many(window: int) -> ApiError:
    return ApiError(429, "TOO_MANY_REQUESTS", "too many wrong answers from this address", (window + 1.0) * WINDOW)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks such as ``10.0.0.0/8``.

    Raises:
        ValueError: if one is none.
    """
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    network = ipaddress.ip_network(text)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        first = ipaddress.IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        return ipaddress.IPv4Network((first, network.prefixlen - _MAPPED.prefixlen))
    return network


_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as a socket for both families writes them (RFC 4291 §2.5.5.2)."""


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; ``::ffff:10.0.0.1`` is 10.0.0.1, so that it is the same caller whichever socket heard it.

    Raises:
        ValueError: if it is none.
    """
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def caller(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address that a request really came from.

    ``X-Forwarded-For`` is believed as far as ``trusted`` proxies wrote it: from its end, the first address that is
    not one of them.
    """
    address = _plain(peer)
    hops = [hop.strip() for line in forwarded_for for hop in line.split(",")]
    while _within(address, trusted) and hops:
        try:
            address = str(parse_address(hops.pop()))
        except ValueError:
            break
    return address


def _plain(peer: str) -> str:
    return str(parse_address(peer)) if peer.startswith("::ffff:") else peer


def _within(address: str, trusted: Sequence[Network]) -> bool:
    try:
        return any(ipaddress.ip_address(address) in network for network in trusted)
    except ValueError:
        return False
