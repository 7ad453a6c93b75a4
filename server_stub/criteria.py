"""Criteria of policies: each holds, does not hold, or cannot be known yet, given what is known of a login."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Protocol

from server_stub.addresses import Network, parse_address
from server_stub.flows.flow import BADGES, Method

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Who:
    """What policies may ask about a user."""

    groups: frozenset[str] = frozenset()
    fido_enrolled: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a login when a policy is looked for."""

    application: str
    address: str = "unknown"
    when: datetime = field(default_factory=lambda: datetime.now(UTC))
    """In the time zone that the policies are written for."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By lower-case name."""
    first: Method | None = None
    """The first step, once it is passed."""
    user: Who | None = None
    """Who it is, once a first step has said so."""


class Criterion(Protocol):
    """One condition."""

    def holds(self, context: Context) -> bool | None:
        """Whether it holds; None when that is not known yet."""
        ...

    @property
    def otherwise(self) -> str:
        """What is the matter when it does not hold."""
        ...


@dataclass(frozen=True, slots=True)
class OneOfApplications:
    """The application that is asked for."""

    names: frozenset[str]

    def holds(self, context: Context) -> bool | None:
        """Always known."""
        return context.application in self.names

    @property
    def otherwise(self) -> str:
        """Names the applications."""
        return f"application is not one of {_listed(self.names)}"


@dataclass(frozen=True, slots=True)
class InGroup:
    """The user is in at least one of some groups."""

    groups: frozenset[str]

    def holds(self, context: Context) -> bool | None:
        """Known once the user is."""
        return None if context.user is None else bool(self.groups & context.user.groups)

    @property
    def otherwise(self) -> str:
        """Names the groups."""
        return f"user is in none of the groups {_listed(self.groups)}"


@dataclass(frozen=True, slots=True)
class FidoEnrolled:
    """The user has registered a FIDO credential, or has not."""

    enrolled: bool

    def holds(self, context: Context) -> bool | None:
        """Known once the user is."""
        return None if context.user is None else context.user.fido_enrolled == self.enrolled

    @property
    def otherwise(self) -> str:
        """Says which."""
        return "user has no FIDO credential" if self.enrolled else "user has a FIDO credential"


@dataclass(frozen=True, slots=True)
class QrFirst:
    """The login began with a QR badge, or did not."""

    badge: bool

    def holds(self, context: Context) -> bool | None:
        """Known once the first step is passed."""
        return None if context.first is None else (context.first in BADGES) == self.badge

    @property
    def otherwise(self) -> str:
        """Says which."""
        return "first step is no QR badge" if self.badge else "first step is a QR badge"


@dataclass(frozen=True, slots=True)
class FromNetwork:
    """The caller's address is in one of some networks."""

    networks: tuple[Network, ...]

    def holds(self, context: Context) -> bool | None:
        """Always known; an address that is none is in no network."""
        try:
            address = parse_address(context.address)
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    @property
    def otherwise(self) -> str:
        """Names the networks."""
        return f"address is not in {_listed(map(str, self.networks))}"


@dataclass(frozen=True, slots=True)
class OnDay:
    """Today is one of some days of the week; 0 is Monday."""

    days: frozenset[int]

    def holds(self, context: Context) -> bool | None:
        """Always known."""
        return context.when.weekday() in self.days

    @property
    def otherwise(self) -> str:
        """Names the days."""
        return f"day is not one of {', '.join(DAYS[day] for day in sorted(self.days))}"


@dataclass(frozen=True, slots=True)
class AtTime:
    """It is between two times of day, the second excluded; ``begin`` after ``end`` reaches over midnight."""

    begin: time
    end: time

    def holds(self, context: Context) -> bool | None:
        """Always known."""
        now = context.when.time()
        if self.begin <= self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    @property
    def otherwise(self) -> str:
        """Names the times."""
        return f"time is not between {self.begin:%H:%M} and {self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class WithHeader:
    """The request has a header of that value."""

    name: str
    value: str

    def holds(self, context: Context) -> bool | None:
        """Always known."""
        return context.headers.get(self.name.lower()) == self.value

    @property
    def otherwise(self) -> str:
        """Names the header, not its value: that may be a shared secret."""
        return f"header {self.name} is not as expected"


def _listed(names: object) -> str:
    assert hasattr(names, "__iter__")
    return ", ".join(sorted(names))
