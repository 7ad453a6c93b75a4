"""Key agreement with hosts, and the tokens that they are given (CTAP 2.3 §6.5).

A host proves with a token, for a while and for what its permissions allow, that the user was verified. Tokens and key
agreement keys are forgotten at power-down, the persistent token is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from emulators.env import Clock, Env
from emulators.fido_authenticator.algorithms import ALGORITHMS, ES256
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import PinUvAuth, as_map
from emulators.fido_authenticator.pin_uv_protocols import PROTOCOLS, SharedSecret
from emulators.fido_authenticator.status import CtapError, Status

FIRST_USE: Final = 30.0
"""Seconds within which a new token must be used (§6.5.2.1, initial usage time limit)."""
USER_PRESENT: Final = 30.0
"""Seconds for which the user counts as present after the touch that came with a token (user present time limit)."""
MAX_USAGE: Final = 600.0
"""Seconds after which a token ends in any case (maximum usage time period)."""

_TOKEN_BYTES = 32


class Permission(IntFlag):
    """What a token allows (§6.5.5.7), by the specification's short names."""

    MC = 0x01
    GA = 0x02
    CM = 0x04
    BE = 0x08
    LBW = 0x10
    ACFG = 0x20
    PCMR = 0x40


@dataclass(slots=True)
class Token:
    """A pinUvAuthToken in use (§6.5.2.1). ``lasting``: no time ends it, and no touch and no relying party uses it up."""

    secret: bytes = field(repr=False)
    permissions: Permission
    clock: Clock = field(repr=False)
    rp_id: str | None = None
    user_present: bool = False
    user_verified: bool = True
    used: bool = False
    began: float = 0.0
    lasting: bool = False

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()

    @property
    def expired(self) -> bool:
        """Whether the token has ended: never used within ``FIRST_USE``, or after ``MAX_USAGE``."""
        if self.lasting:
            return False
        age = self.clock.monotonic() - self.began
        return age > (MAX_USAGE if self.used else FIRST_USE)

    @property
    def shows_presence(self) -> bool:
        """getUserPresentFlagValue: the touch that came with the token still counts."""
        return self.user_present and self.clock.monotonic() - self.began <= USER_PRESENT

    def check_rp_id(self, rp_id: str | None) -> None:
        """Refuse a token that is bound to another relying party; None: to any.

        Raises:
            CtapError: PIN_AUTH_INVALID.
        """
        if self.rp_id is not None and self.rp_id != rp_id:
            raise CtapError(Status.PIN_AUTH_INVALID)

    def bind(self, rp_id: str) -> None:
        """From now on the token serves ``rp_id`` only.

        Raises:
            CtapError: PIN_AUTH_INVALID if it serves another one already.
        """
        self.check_rp_id(rp_id)
        if not self.lasting:
            self.rp_id = rp_id

    def spend(self) -> None:
        """The touch and the verification have served for a credential: all but writing large blobs needs them anew."""
        if self.lasting:
            return
        self.user_present = self.user_verified = False
        self.permissions &= Permission.LBW


class PinUv:
    """Key agreement and tokens of one key between power-up and power-down.

    ``supported`` are the protocols of getInfo, ``persistent_token`` finds the persistent token, None if nobody was
    given it.
    """

    def __init__(self, env: Env, supported: tuple[int, ...], persistent_token: Callable[[], bytes | None]) -> None:
        self._env = env
        self._supported = supported
        self._persistent_token = persistent_token
        self._key_pairs: dict[int, ec.EllipticCurvePrivateKey] = {}
        self._tokens: dict[int, Token] = {}

    def check_protocol(self, protocol: int | None) -> int:
        """``protocol``, which must be one of getInfo's pinUvAuthProtocols.

        Raises:
            CtapError: MISSING_PARAMETER without one, INVALID_PARAMETER for another one.
        """
        if protocol is None:
            raise CtapError(Status.MISSING_PARAMETER)
        if protocol not in self._supported:
            raise CtapError(Status.INVALID_PARAMETER)
        return protocol

    def public_key(self, protocol: int) -> dict[int, CborValue]:
        """getPublicKey: the key agreement key as a COSE_Key map, made when it is first needed."""
        numbers = self._key_pair(self.check_protocol(protocol)).public_key().public_numbers()
        # -25 is what the specification writes, though no ECDH-ES + HKDF-256 is done (§6.5.6, note).
        return {1: 2, 3: -25, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}

    def _key_pair(self, protocol: int) -> ec.EllipticCurvePrivateKey:
        pair = self._key_pairs.get(protocol)
        if pair is None:
            scalar = int.from_bytes(ALGORITHMS[ES256].make(self._env.random))
            pair = self._key_pairs[protocol] = ec.derive_private_key(scalar, ec.SECP256R1())
        return pair

    def regenerate(self, protocol: int) -> None:
        """A new key agreement key next time, so that a wrong PIN cannot be tried again under the same secret."""
        self._key_pairs.pop(protocol, None)

    def shared_secret(self, protocol: int, platform_key: CborValue) -> SharedSecret:
        """decapsulate: the secret shared with the host that sent ``platform_key``, a COSE_Key map.

        Raises:
            CtapError: INVALID_PARAMETER if the protocol is not supported or the key is no point of P-256;
                CBOR_UNEXPECTED_TYPE if the key is no map.
        """
        pair = self._key_pair(self.check_protocol(protocol))
        key = as_map(platform_key)
        x, y = key.get(-2), key.get(-3)
        # True equals 1 in Python, but not in CBOR.
        if (key.get(1), key.get(3), key.get(-1)) != (2, -25, 1) or key[-1] is True:
            raise CtapError(Status.INVALID_PARAMETER)
        if type(x) is not bytes or type(y) is not bytes:
            raise CtapError(Status.INVALID_PARAMETER)
        if (len(x), len(y)) != (32, 32):
            raise CtapError(Status.INVALID_PARAMETER)
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
        except ValueError as error:
            raise CtapError(Status.INVALID_PARAMETER) from error
        return PROTOCOLS[protocol].secret(pair.exchange(ec.ECDH(), peer), self._env.random)

    def new_token(
        self, protocol: int, permissions: Permission, rp_id: str | None = None, *, user_present: bool = False
    ) -> Token:
        """End all tokens and begin using a new one (resetPinUvAuthToken, beginUsingPinUvAuthToken)."""
        self.reset_tokens()
        token = Token(
            self._env.random.token_bytes(_TOKEN_BYTES), permissions, self._env.clock, rp_id, user_present=user_present
        )
        self._tokens[protocol] = token
        return token

    def pin_token(self, protocol: int, permissions: Permission) -> Token:
        """The pinToken of a key from before permissions: one for each power-up, for any number of uses (CTAP 2.0 §5.5.2)."""
        token = self._tokens.get(protocol)
        if token is None:
            secret = self._env.random.token_bytes(_TOKEN_BYTES)
            token = self._tokens[protocol] = Token(secret, permissions, self._env.clock, lasting=True)
        return token

    def spend_tokens(self) -> None:
        """The user has touched the key for a credential: whoever holds a token needs them anew for another one."""
        for token in self._tokens.values():
            token.spend()

    def reset_tokens(self) -> None:
        """End all tokens but the persistent one."""
        self._tokens.clear()

    def verify_token(
        self, auth: PinUvAuth, message: bytes, permission: Permission, *, read_only: bool = False
    ) -> Token:
        """The token with which the host signed ``message`` and which has ``permission``.

        ``read_only``: the persistent token's pcmr is enough. The caller checks or binds the relying party.

        Raises:
            CtapError: PUAT_REQUIRED if ``auth`` holds no proof; MISSING_PARAMETER, INVALID_PARAMETER for its protocol;
                PIN_AUTH_INVALID if the proof does not hold, the token has ended or lacks the permission.
        """
        if auth.param is None:
            raise CtapError(Status.PUAT_REQUIRED)
        protocol = self.check_protocol(auth.protocol)
        verify = PROTOCOLS[protocol].verify
        persistent = self._persistent_token() if read_only else None
        if persistent is not None and verify(persistent, message, auth.param):
            return Token(persistent, Permission.PCMR, self._env.clock, lasting=True)
        token = self._tokens.get(protocol)
        if token is not None and token.expired:
            self._tokens.clear()
            token = None
        if token is None or not verify(token.secret, message, auth.param):
            raise CtapError(Status.PIN_AUTH_INVALID)
        # The host has used it, whether or not it was good for this.
        token.used = True
        if not token.permissions & permission:
            raise CtapError(Status.PIN_AUTH_INVALID)
        return token
