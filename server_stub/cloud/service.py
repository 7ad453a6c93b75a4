"""What the cloud needs to work: its database, its key, its callers' credentials."""

from server_stub.cloud.account import service_account
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
        self.database = Database(database_of(settings, "cloud"), metadata)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
