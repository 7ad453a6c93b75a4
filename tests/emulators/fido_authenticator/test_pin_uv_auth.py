from typing import Any

import pytest
from fido2.cose import CoseKey
from fido2.ctap2.pin import PinProtocol, PinProtocolV1, PinProtocolV2
from hypothesis import given
from hypothesis import strategies as st

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator.messages import PinUvAuth
from emulators.fido_authenticator.pin_uv_auth import Permission, PinUv
from emulators.fido_authenticator.pin_uv_protocols import PROTOCOLS
from emulators.fido_authenticator.status import CtapError, Status

HOSTS: dict[int, PinProtocol] = {1: PinProtocolV1(), 2: PinProtocolV2()}
BOTH = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


def _pin_uv(clock: SimulatedClock | None = None, persistent: bytes | None = None) -> PinUv:
    env = Env.simulated(1)
    return PinUv(Env(clock or SimulatedClock(), env.random), (2, 1), lambda: persistent)


def _auth(protocol: int, token: bytes, message: bytes) -> PinUvAuth:
    return PinUvAuth(HOSTS[protocol].authenticate(token, message), protocol)


def _refusal(pin_uv: PinUv, auth: PinUvAuth, permission: Permission = Permission.GA) -> Status:
    with pytest.raises(CtapError) as refused:
        pin_uv.verify_token(auth, b"message", permission)
    return refused.value.status


@BOTH
def test_key_and_python_fido2_agree_on_a_secret(protocol: int) -> None:
    """Both hide what the other reads, and the key knows the host's signature."""
    host, pin_uv = HOSTS[protocol], _pin_uv()
    platform_key, key = host.encapsulate(CoseKey.parse(pin_uv.public_key(protocol)))
    secret = pin_uv.shared_secret(protocol, platform_key)
    assert secret.decrypt(host.encrypt(key, bytes(range(32)))) == bytes(range(32))
    assert host.decrypt(key, secret.encrypt(b"0123456789abcdef")) == b"0123456789abcdef"
    assert secret.verify(b"message", host.authenticate(key, b"message"))
    assert not secret.verify(b"massage", host.authenticate(key, b"message"))
    assert not secret.verify(b"message", host.authenticate(key, b"message")[:-1])
    assert not secret.verify(b"message", b"")


@BOTH
@pytest.mark.parametrize("length", [0, 1, 15, 17])
def test_only_whole_blocks_can_be_read(protocol: int, length: int) -> None:
    """An impossible length is an error of its own and no traceback from a library."""
    host, pin_uv = HOSTS[protocol], _pin_uv()
    platform_key, _ = host.encapsulate(CoseKey.parse(pin_uv.public_key(protocol)))
    with pytest.raises(ValueError, match="expected whole blocks"):
        pin_uv.shared_secret(protocol, platform_key).decrypt(bytes(16 * (protocol - 1) + length))


@BOTH
def test_after_a_regeneration_the_old_secret_is_gone(protocol: int) -> None:
    """The other protocol's key stays."""
    pin_uv = _pin_uv()
    before = {number: pin_uv.public_key(number) for number in PROTOCOLS}
    assert before == {number: pin_uv.public_key(number) for number in PROTOCOLS}
    pin_uv.regenerate(protocol)
    assert {number for number in PROTOCOLS if pin_uv.public_key(number) != before[number]} == {protocol}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({1: 3}, Status.INVALID_PARAMETER),
        ({3: -7}, Status.INVALID_PARAMETER),
        ({-1: 2}, Status.INVALID_PARAMETER),
        ({-1: True}, Status.INVALID_PARAMETER),
        ({-2: None}, Status.INVALID_PARAMETER),
        ({-3: "y"}, Status.INVALID_PARAMETER),
        ({-2: bytes(32)}, Status.INVALID_PARAMETER),
        ({-2: bytes(31), -3: bytes(33)}, Status.INVALID_PARAMETER),
    ],
)
def test_a_platform_key_that_is_no_point_of_the_curve_is_refused(change: dict[int, Any], expected: Status) -> None:
    """Above all a point off the curve, which would give the key's own secret away bit by bit."""
    pin_uv = _pin_uv()
    with pytest.raises(CtapError) as refused:
        pin_uv.shared_secret(1, {**pin_uv.public_key(1), **change})
    assert refused.value.status is expected


@given(x=st.binary(min_size=30, max_size=34), y=st.binary(min_size=30, max_size=34))
def test_no_bytes_break_key_agreement(x: bytes, y: bytes) -> None:
    """Random coordinates are hardly ever on the curve, and always answered."""
    pin_uv = _pin_uv()
    with pytest.raises(CtapError) as refused:
        pin_uv.shared_secret(2, {1: 2, 3: -25, -1: 1, -2: x, -3: y})
    assert refused.value.status is Status.INVALID_PARAMETER


def test_a_protocol_that_is_not_advertised_is_refused() -> None:
    """And an absent one is missing."""
    pin_uv = PinUv(Env.simulated(1), (2,), lambda: None)
    for protocol, expected in ((1, Status.INVALID_PARAMETER), (None, Status.MISSING_PARAMETER)):
        with pytest.raises(CtapError) as refused:
            pin_uv.check_protocol(protocol)
        assert refused.value.status is expected


@BOTH
def test_a_token_proves_verification_for_its_permissions(protocol: int) -> None:
    """Another message, another permission, another protocol, no proof and no token are each refused."""
    pin_uv = _pin_uv()
    assert _refusal(pin_uv, _auth(protocol, bytes(32), b"message")) is Status.PIN_AUTH_INVALID
    token = pin_uv.new_token(protocol, Permission.GA | Permission.MC)
    good = _auth(protocol, token.secret, b"message")
    assert pin_uv.verify_token(good, b"message", Permission.GA) is token
    assert _refusal(pin_uv, good, Permission.CM) is Status.PIN_AUTH_INVALID
    assert _refusal(pin_uv, _auth(protocol, token.secret, b"massage")) is Status.PIN_AUTH_INVALID
    assert _refusal(pin_uv, _auth(3 - protocol, token.secret, b"message")) is Status.PIN_AUTH_INVALID
    assert _refusal(pin_uv, PinUvAuth(None, protocol)) is Status.PUAT_REQUIRED
    assert _refusal(pin_uv, PinUvAuth(good.param, None)) is Status.MISSING_PARAMETER
    assert _refusal(pin_uv, PinUvAuth(good.param, 3)) is Status.INVALID_PARAMETER


def test_a_new_token_ends_the_old_one() -> None:
    """There is one token at a time, whatever the protocol."""
    pin_uv = _pin_uv()
    old = pin_uv.new_token(1, Permission.GA)
    pin_uv.new_token(2, Permission.GA)
    assert _refusal(pin_uv, _auth(1, old.secret, b"message")) is Status.PIN_AUTH_INVALID


@pytest.mark.parametrize(("used_at", "lives_until"), [(None, 30), (29, 600)])
def test_a_token_ends_by_itself(used_at: int | None, lives_until: int) -> None:
    """Thirty seconds after it was given out and not used, ten minutes after it was given out."""
    clock = SimulatedClock()
    pin_uv = _pin_uv(clock)
    auth = _auth(2, pin_uv.new_token(2, Permission.GA).secret, b"message")
    if used_at is not None:
        clock.advance(used_at)
        pin_uv.verify_token(auth, b"message", Permission.GA)
        clock.advance(lives_until - used_at)
        pin_uv.verify_token(auth, b"message", Permission.GA)
    else:
        clock.advance(lives_until)
    clock.advance(0.1)
    assert _refusal(pin_uv, auth) is Status.PIN_AUTH_INVALID


def test_the_touch_that_came_with_a_token_counts_for_thirty_seconds() -> None:
    """Verification counts as long as the token lives; both end once they have served."""
    clock = SimulatedClock()
    pin_uv = _pin_uv(clock)
    assert not pin_uv.new_token(2, Permission.GA).shows_presence
    token = pin_uv.new_token(2, Permission.GA | Permission.LBW, user_present=True)
    clock.advance(30)
    assert token.shows_presence
    clock.advance(0.1)
    assert (token.shows_presence, token.user_verified) == (False, True)
    token.spend()
    assert (token.user_verified, token.permissions) == (False, Permission.LBW)


def test_a_token_serves_one_relying_party_once_it_is_bound() -> None:
    """An unbound one serves any, until the first use binds it."""
    token = _pin_uv().new_token(2, Permission.GA)
    token.check_rp_id(None)
    token.bind("example.com")
    token.bind("example.com")
    for refuse in (token.bind, token.check_rp_id):
        with pytest.raises(CtapError) as refused:
            refuse("example.org")
        assert refused.value.status is Status.PIN_AUTH_INVALID
    with pytest.raises(CtapError):
        token.check_rp_id(None)


def test_the_persistent_token_reads_and_nothing_else() -> None:
    """It needs no time limit, and a command that changes anything does not take it."""
    clock = SimulatedClock()
    persistent = bytes(range(32))
    pin_uv = _pin_uv(clock, persistent)
    auth = _auth(2, persistent, b"message")
    clock.advance(1e6)
    assert pin_uv.verify_token(auth, b"message", Permission.CM, read_only=True).permissions == Permission.PCMR
    assert _refusal(pin_uv, auth, Permission.CM) is Status.PIN_AUTH_INVALID


def test_no_repr_shows_a_secret() -> None:
    """Logs and tracebacks print values."""
    pin_uv = _pin_uv()
    token = pin_uv.new_token(2, Permission.GA)
    secret = pin_uv.shared_secret(1, pin_uv.public_key(1))
    assert token.secret.hex()[:8] not in repr(token)
    assert "key" not in repr(secret)
    assert str(token.secret) not in repr(token)
