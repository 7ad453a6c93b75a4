"""What a CTAP2 extension may do, and the work in progress that it is handed (CTAP 2.3 §12)."""

from dataclasses import dataclass, field

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import GetAssertionRequest, MakeCredentialRequest
from emulators.fido_authenticator.state import State
from emulators.fido_authenticator.status import CtapError, Status


@dataclass(slots=True)
class Creation:
    """A makeCredential that is under way: extensions fill the three maps."""

    state: State
    request: MakeCredentialRequest
    algorithm: int
    user_verified: bool
    kept: dict[str, CborValue] = field(default_factory=dict)
    """Kept with the credential, by extension identifier."""
    outputs: dict[str, CborValue] = field(default_factory=dict)
    """The extension outputs in the authenticator data."""
    response: dict[int, CborValue] = field(default_factory=dict)
    """Members added to the response map, such as largeBlobKey."""

    _private_key: bytes | None = field(default=None, repr=False)

    @property
    def private_key(self) -> bytes:
        """The credential's private key, made when it is first asked for."""
        if self._private_key is None:
            self._private_key = self.state.make_private_key(self.algorithm)
        return self._private_key

    @property
    def discoverable(self) -> bool:
        """Whether the credential will be kept in the key's own memory."""
        return self.request.options.get("rk", False)


@dataclass(slots=True)
class Assertion:
    """A getAssertion that is under way, for one credential: extensions fill the two maps."""

    state: State
    request: GetAssertionRequest
    credential: Credential
    user_present: bool
    user_verified: bool
    outputs: dict[str, CborValue] = field(default_factory=dict)
    """The extension outputs in the authenticator data."""
    response: dict[int, CborValue] = field(default_factory=dict)
    """Members added to the response map, such as largeBlobKey."""


class Extension:
    """An extension that does nothing: each one overrides the hooks that it needs. It keeps no state of its own.

    ``value`` is the host's input, None if the host did not ask for the extension. A hook refuses by raising ``CtapError``.
    Hooks run in the order of the table, so that one extension can build upon another.
    """

    identifier: str

    def add_info(self, state: State, info: dict[int, CborValue]) -> None:
        """Add members to the getInfo response."""

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """A credential is about to be made; nothing has been written yet."""

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """An assertion is about to be signed."""

    def add_managed(self, credential: Credential, response: dict[int, CborValue]) -> None:
        """Add members to what credential management shows of ``credential``."""

    def hides(self, credential: Credential, *, listed: bool, user_verified: bool) -> bool:
        """Whether ``credential`` must not be found; ``listed``: the host named it by its id."""
        del credential, listed, user_verified
        return False


def requested(value: CborValue) -> bool:
    """Whether ``value``, the input of an extension that is simply asked for, is True; None is no.

    Raises:
        CtapError: CBOR_UNEXPECTED_TYPE if it is no boolean.
    """
    if value is None or type(value) is bool:
        return value is True
    raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
