"""What the IAM needs to work: settings, policies, database, keys, password threads, cloud connection."""

import logging
from datetime import datetime, tzinfo
from pathlib import Path

from server_stub.addresses import Network, networks
from server_stub.cloud.account import service_account
from server_stub.cloud_client import CloudClient
from server_stub.errors import ServerError
from server_stub.factors.attestation import load_policy
from server_stub.factors.fido import Fido
from server_stub.factors.oidc import Provider, check_described
from server_stub.factors.password import PasswordHasher
from server_stub.flows.flow import Method
from server_stub.jose import PublicKey, load_public_key
from server_stub.keys import load_or_create
from server_stub.policy_file import DEFAULT_FILE, load
from server_stub.sessions import TOKEN_BYTES, new_token
from server_stub.settings import OidcProvider, Settings, database_of, time_zone
from server_stub.store.database import Database
from server_stub.store.iam import metadata
from server_stub.vault import KEY_LENGTH, Vault

log = logging.getLogger(__name__)

ADMIN_TOKEN_LENGTH = 32
ROLES = ("users", "badges", "policies", "audit")
"""Administrators who may do one kind of thing; each has a token of their own."""


class Iam:
    """One running IAM.

    Raises:
        ServerError: if its files cannot be used, the policy file is wrong, or it is not told where its cloud is.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.cloud_url:
            raise ServerError("the IAM is not told where its verification cloud is: set cloud_url")
        self.settings = settings
        self.trusted_proxies = _networks(settings.trusted_proxies)
        self.policies = load(settings.policies_file or DEFAULT_FILE)
        for warning in self.policies.warnings:
            log.warning("policies: %s", warning)
        self.sso_keys = {issuer: _public_key(issuer, path) for issuer, path in settings.sso_issuers}
        self.oidc = {each.name: _oidc_provider(each, settings) for each in settings.oidc_providers}
        if not self.oidc and any(Method.OIDC in way for flow in self.policies.flows.values() for way in flow.ways):
            log.warning("policies: a flow begins with OIDC, but the settings name no provider")
        self._zone = _zone(settings.timezone)
        account = service_account(settings)
        self.admin_token = self._key("admin.token", ADMIN_TOKEN_LENGTH).hex()
        self.role_tokens = {role: self._key(f"admin-{role}.token", ADMIN_TOKEN_LENGTH).hex() for role in ROLES}
        self.vault = Vault(self._key("iam-kek.key", KEY_LENGTH), settings.token_bytes)
        self.fido = Fido(settings, load_policy(settings))
        self.database = Database(database_of(settings, "iam"), metadata, flushed=settings.survive_power_cuts)
        self.hasher = PasswordHasher(settings.argon2, settings.token_bytes)
        self.cloud = CloudClient(settings.cloud_url, account, settings)

    async def close(self) -> None:
        """Close connections, threads and the database."""
        await self.cloud.close()
        for provider in self.oidc.values():
            await provider.close()
        self.hasher.close()
        self.database.close()

    def now(self) -> float:
        """Seconds since 1970."""
        return self.settings.time()

    def local_time(self) -> datetime:
        """Now, on the clock that policies are written for."""
        return datetime.fromtimestamp(self.now(), self._zone)

    def new_token(self) -> str:
        """A token for a session's cookie."""
        return new_token(self.settings.token_bytes(TOKEN_BYTES))

    def _key(self, name: str, length: int) -> bytes:
        return load_or_create(self.settings.data_dir / name, length, self.settings.token_bytes)


def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return networks(texts)
    except ValueError as error:
        raise ServerError(f"trusted_proxies: {error}") from error


def _zone(name: str) -> tzinfo:
    try:
        return time_zone(name)
    except ValueError as error:
        raise ServerError(f"timezone: {error}") from error


def _oidc_provider(described: OidcProvider, settings: Settings) -> Provider:
    name, path = described.name, described.client_secret_file
    try:
        check_described(described)
    except ValueError as error:
        raise ServerError(str(error)) from error
    try:
        secret = path.read_text("utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError(f"cannot read the client secret of the OIDC provider {name!r}, {path}") from error
    if path and not secret:
        raise ServerError(f"the client secret of the OIDC provider {name!r}, {path}, is empty")
    return Provider(described, secret, settings)


def _public_key(issuer: str, path: Path) -> PublicKey:
    try:
        return load_public_key(path.read_bytes())
    except OSError as error:
        raise ServerError(f"cannot read the key of the issuer {issuer!r}, {path}: {error.strerror}") from error
    except ValueError as error:
        raise ServerError(f"the key of the issuer {issuer!r}, {path}, is not usable: {error}") from error
