"""A flow as data: the ways that lead through it. A session is a cursor: the methods it has passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """A way to prove something."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a method
    BADGE_INSECURE = "BADGE_INSECURE"
    BADGE_SECURE = "BADGE_SECURE"
    USERNAME = "USERNAME"
    DEVICE_TOKEN = "DEVICE_TOKEN"  # noqa: S105 - as above
    SSO_TICKET = "SSO_TICKET"
    OIDC = "OIDC"
    OFFLINE_QR = "OFFLINE_QR"
    OTP = "OTP"
    PUSH = "PUSH"
    FIDO = "FIDO"


NAMING = frozenset({Method.USERNAME, Method.DEVICE_TOKEN, Method.BADGE_INSECURE})
"""Methods that only say who someone claims to be."""
IDENTIFYING = NAMING | {Method.PASSWORD, Method.BADGE_SECURE, Method.SSO_TICKET, Method.OIDC, Method.FIDO}
"""Methods that say who someone is; the others need to be told. FIDO does so by a discoverable credential."""
FIRST_ONLY = IDENTIFYING - {Method.PASSWORD, Method.FIDO}
"""Methods that make sense as a first step only."""
BADGES = frozenset({Method.BADGE_INSECURE, Method.BADGE_SECURE})


@dataclass(frozen=True, slots=True)
class Flow:
    """Ordered steps, with branches: each of ``ways`` is one list of methods that completes the login.

    Raises:
        ValueError: if there is no way, a way is empty or repeats a method, does not begin by identifying the user, or is
            the beginning of another (then one could not tell whether a login is complete).
    """

    name: str
    ways: tuple[tuple[Method, ...], ...]

    def __post_init__(self) -> None:
        if not self.ways:
            raise ValueError(f"flow {self.name!r} has no way through it")
        for way in self.ways:
            text = " then ".join(way)
            if not way:
                raise ValueError(f"flow {self.name!r} has an empty way: nobody would have to prove anything")
            if way[0] not in IDENTIFYING:
                raise ValueError(f"flow {self.name!r} begins with {way[0]}, which does not say who the user is")
            if len(set(way)) != len(way):
                raise ValueError(f"flow {self.name!r} asks twice for the same method: {text}")
            if NAMING.issuperset(way):
                raise ValueError(f"flow {self.name!r} lets {text} log in by itself: it is only a user name")
            if FIRST_ONLY.intersection(way[1:]):
                raise ValueError(f"flow {self.name!r} asks who the user is when that is known already: {text}")
            if any(other != way and other[: len(way)] == way for other in self.ways):
                raise ValueError(f"flow {self.name!r} has a way that is only the beginning of another: {text}")

    def next_methods(self, passed: Sequence[Method]) -> tuple[Method, ...]:
        """What may come after ``passed``, in the order of the ways; nothing when complete or when off the path."""
        cursor = tuple(passed)
        return tuple(
            dict.fromkeys(
                way[len(cursor)] for way in self.ways if len(way) > len(cursor) and way[: len(cursor)] == cursor
            )
        )

    def is_complete(self, passed: Sequence[Method]) -> bool:
        """Whether ``passed`` is one whole way."""
        return tuple(passed) in self.ways


def after_badge(flow: Flow, *, insecure: bool) -> Flow:
    """``flow`` for those who began with a QR badge, when that is a criterion and not a method of the flow.

    A secure badge stands for name and password, so a password that would follow is left out; an insecure one stands
    for the name only. Ways that name a badge themselves stay as they are.
    """
    ways: list[tuple[Method, ...]] = []
    for way in flow.ways:
        if BADGES.intersection(way):
            ways.append(way)
            continue
        ways.append((Method.BADGE_SECURE, *(method for method in way if method is not Method.PASSWORD)))
        if insecure:
            ways.append((Method.BADGE_INSECURE, *way))
    return Flow(f"{flow.name} after a badge" + (", insecure too" if insecure else ""), tuple(dict.fromkeys(ways)))
