"""Everything that can be set about the server, with defaults that are safe on one machine."""

import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from server_stub.errors import ServerError
from server_stub.limits import SCHEDULE, Schedule


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """How dear one password check is: 19 MiB and two passes take about 22 ms on a small machine."""

    memory_kib: int = 19 * 1024
    iterations: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """An OpenID Connect provider at which a login may begin."""

    name: str
    """In addresses: ``<origin>/auth/oidc/<name>/callback`` is the redirect URI to register there."""
    issuer: str
    client_id: str
    client_secret_file: Path | None = None
    """None: a public client."""
    title: str = ""
    """What people know it as; empty means the name."""
    username_claim: str = "sub"
    """Which claim of the ID token is the name of a user here."""
    scope: str = "openid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server runs; times are in seconds.

    The clock and the random source are plain callables, so that a test can put its own in their place.
    """

    data_dir: Path
    """Folder for the databases and the key files; made when missing."""
    database_url: str = field(default="", repr=False)
    """A PostgreSQL such as ``postgresql://authrig@localhost/authrig``; empty means SQLite files in ``data_dir``."""
    survive_power_cuts: bool = False
    """With SQLite, wait for the disk at each commit: what is acknowledged is then there after a power cut, too."""
    workers: int = 1
    """How many processes serve; more than one need PostgreSQL."""
    host: str = "127.0.0.1"
    public_port: int = 0
    """0 takes any free port; so for the other two."""
    internal_port: int = 0
    cloud_port: int = 0
    allow_non_loopback: bool = False
    parts: tuple[Literal["iam", "cloud"], ...] = ("iam", "cloud")
    """What runs in this process. The two share ``data_dir`` for the keys with which calls to the cloud are signed."""
    cloud_url: str = ""
    """Where the IAM finds its verification cloud; empty means the one that is started beside it."""
    policies_file: Path | None = None
    """TOML with applications, flows and policies; None means ``default_policies.toml``."""

    timezone: str = "UTC"
    """Where the days and times of policies are read off the clock, such as ``Europe/Zurich``."""

    service_name: str = "Authrig"
    rp_id: str = "localhost"
    origins: tuple[str, ...] = ()
    """Web origins that FIDO responses may come from; empty means ``http://localhost:<public port>``."""
    fido_user_verification: Literal["required", "preferred", "discouraged"] = "preferred"
    fido_attestation: Literal["none", "trusted"] = "none"
    """Whether a key must come with an attestation that ends at a root of ours."""
    fido_attestation_roots: tuple[Path, ...] = ()
    """PEM files with accepted roots."""
    fido_metadata: tuple[tuple[Path, Path], ...] = ()
    """FIDO metadata (MDS3) files with accepted roots, each with the PEM file of the root that signed it."""
    fido_aaguids: tuple[str, ...] = ()
    """Models that may be registered; empty means any. Without trusted attestation a key can claim any model."""
    fido_counter_regression: Literal["refuse", "alarm"] = "refuse"
    """What happens when a signature counter does not grow: an alarm is raised in both cases."""
    fido_challenge_ttl: int = 120

    behind_https: bool = False
    """A proxy in front speaks HTTPS: the session's cookie is Secure and its name begins with ``__Host-``."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of proxies whose ``X-Forwarded-For`` is believed."""
    iam_lockout: Schedule = SCHEDULE
    """Wrong attempts in a row for a user and method, counted in the IAM."""
    cloud_lockout: Schedule = SCHEDULE
    """Wrong codes in a row for a token, counted in the cloud."""
    address_failure_limit: int = 300
    """Wrong answers that one address may give in a minute."""
    share_tokens: bool = False
    """Whether a token that somebody has may be assigned to others as well."""
    sweep_interval: float = 60.0
    """How often expired rows are removed."""

    argon2: Argon2Cost = Argon2Cost()
    sso_issuers: tuple[tuple[str, Path], ...] = ()
    """Who may sign SSO tickets: the issuer's name, and a PEM file with its public key."""
    sso_audience: str = "authrig"
    """Whom SSO tickets must be for."""
    oidc_providers: tuple[OidcProvider, ...] = ()
    remembered_device_lifetime: int = 30 * 86400
    push_ttl: int = 60
    """How long an app may take to answer; then the login falls back to the next factor."""
    login_challenge_ttl: int = 180
    transaction_challenge_ttl: int = 300
    login_lifetime: int = 600
    """How long someone may take from the first step to the last."""
    session_lifetime: int = 3600
    body_limit: int = 64 * 1024
    cloud_timeout: float = 5.0
    request_timeout: float = 20.0
    """How long a client may take to send a request, or to go on reading an answer."""

    time: Callable[[], float] = time.time
    token_bytes: Callable[[int], bytes] = secrets.token_bytes


def database_of(settings: Settings, name: str) -> Path | str:
    """Where the database ``name`` (iam or cloud) of the settings is."""
    return settings.database_url or settings.data_dir / f"{name}.sqlite3"


def time_zone(name: str) -> tzinfo:
    """The time zone of that name.

    Raises:
        ValueError: if this machine does not know it.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(f"this machine knows no time zone {name!r}") from error


def check_host(settings: Settings) -> None:
    """Refuse to be reachable from other machines by accident.

    Raises:
        ServerError: if ``host`` is no loopback address and that was not asked for.
    """
    try:
        loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        loopback = settings.host == "localhost"
    if not loopback and not settings.allow_non_loopback:
        raise ServerError(
            f"{settings.host} is not a loopback address: other machines could reach this test server; "
            "say allow_non_loopback if that is meant"
        )
