"""What the cloud needs to work: its database, its key, its callers' credentials."""

import hashlib
import hmac

from server_stub.cloud.account import service_account
from server_stub.cloud.signing import Credentials
from server_stub.cloud.store import metadata
from server_stub.keys import load_or_create
from server_stub.settings import Settings, database_of
from server_stub.store.database import Database
from server_stub.vault import KEY_LENGTH, Vault


class Cloud:
    """One running cloud.

    Raises:
        ServerError: if its files cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.account = service_account(settings)
        key = load_or_create(settings.data_dir / "cloud-kek.key", KEY_LENGTH, settings.token_bytes)
        self.vault = Vault(key, settings.token_bytes)
        self._apps = load_or_create(settings.data_dir / "cloud-apps.key", KEY_LENGTH, settings.token_bytes)
        self.database = Database(database_of(settings, "cloud"), metadata, flushed=settings.survive_power_cuts)

    def app_credentials(self, device_id: str) -> Credentials:
        """What the app ``device_id`` signs its requests with. It is computed, so nothing of it has to be kept."""
        key = hmac.new(self._apps, b"app requests\0" + device_id.encode("utf-8", "replace"), hashlib.sha256).digest()
        return Credentials(device_id, key)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
