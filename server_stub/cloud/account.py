"""What a service (here: the IAM) calls the cloud with. Both sides hold it."""

from dataclasses import dataclass

from server_stub.cloud.signing import Credentials
from server_stub.keys import load_or_create
from server_stub.settings import Settings
from server_stub.vault import KEY_LENGTH

SERVICE_ID = "authrig"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """One key for authentication, one for administration."""

    auth: Credentials
    admin: Credentials


def service_account(settings: Settings) -> ServiceAccount:
    """The account that IAM and cloud share; made at the first start.

    Raises:
        ServerError: if a key file cannot be used.
    """
    auth, admin = (
        Credentials(SERVICE_ID, load_or_create(settings.data_dir / name, KEY_LENGTH, settings.token_bytes))
        for name in ("cloud-auth.key", "cloud-admin.key")
    )
    return ServiceAccount(auth, admin)
