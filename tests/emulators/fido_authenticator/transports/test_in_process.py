import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fido2.client import DefaultClientDataCollector, Fido2Client
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.ctap1 import Ctap1
from fido2.ctap2.base import Ctap2
from fido2.hid import CAPABILITY, CTAPHID
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.in_process import InProcessConnection, InProcessDevice, InProcessTransport
from emulators.fido_authenticator.user import Act, AutomaticUser, Decision, HandUser, ScriptedUser
from tests.emulators.fido_authenticator.ctap_requests import HASH
from tests.emulators.fido_authenticator.hid_transport_checks import check_hid_transport

WITHOUT = UserVerificationRequirement.DISCOURAGED
RP = PublicKeyCredentialRpEntity(id="example.com", name="Example")
ADA = PublicKeyCredentialUserEntity(id=b"ada", name="ada", display_name="Ada")


class _Host:
    def __init__(self, connection: InProcessConnection) -> None:
        self.write = connection.write_packet
        self.read = connection.read_packet
        self.close = connection.close


class _Cable:
    many_hosts = True

    def __init__(self) -> None:
        self._transport = InProcessTransport(CtapHid(Authenticator(Env.simulated(1))))

    def open(self) -> _Host:
        return _Host(self._transport.connect())


@contextmanager
def _plugged_in() -> Iterator[_Cable]:
    yield _Cable()


def _framed(authenticator: Authenticator) -> CtapDevice:
    return InProcessTransport(CtapHid(authenticator)).open_device()


def test_it_is_a_hid_transport() -> None:
    """The checks that every wire must pass."""
    check_hid_transport(_plugged_in)


@pytest.mark.parametrize("plug_in", [_framed, InProcessDevice])
@pytest.mark.parametrize("resident", [ResidentKeyRequirement.REQUIRED, ResidentKeyRequirement.DISCOURAGED])
def test_an_unmodified_client_registers_and_logs_in(
    plug_in: type[InProcessDevice], resident: ResidentKeyRequirement
) -> None:
    """python-fido2's client and server, which know nothing of this project, complete both ceremonies."""
    device = plug_in(Authenticator(Env.simulated(1)))
    client = Fido2Client(device, DefaultClientDataCollector("https://example.com"))
    server = Fido2Server(RP, attestation=AttestationConveyancePreference.DIRECT)
    options, state = server.register_begin(ADA, resident_key_requirement=resident, user_verification=WITHOUT)
    auth_data = server.register_complete(state, client.make_credential(options.public_key))
    assert auth_data.credential_data is not None
    known = [auth_data.credential_data] if resident is ResidentKeyRequirement.DISCOURAGED else None
    request, state = server.authenticate_begin(known, WITHOUT)
    response = client.get_assertion(request.public_key).get_response(0)
    assert server.authenticate_complete(state, [auth_data.credential_data], response) == auth_data.credential_data
    assert response.response.authenticator_data.counter > auth_data.counter


def test_the_tap_sees_every_report_in_order() -> None:
    """Evidence can be taken of all that went over the wire."""
    reports: list[tuple[str, bytes]] = []
    hid = CtapHid(Authenticator(Env.simulated(1)), lambda direction, report: reports.append((direction, report)))
    device = InProcessTransport(hid).open_device()
    reports.clear()
    device.ping(b"x" * 100)
    assert [direction for direction, _ in reports] == ["to_key", "to_key", "to_host", "to_host"]
    assert reports[0][1][7:] + reports[1][1][5:48] == b"x" * 100
    assert [report for _, report in reports[:2]] == [report for _, report in reports[2:]]


@pytest.mark.parametrize("plug_in", [_framed, InProcessDevice])
def test_a_touch_from_another_thread_ends_the_wait(plug_in: type[InProcessDevice]) -> None:
    """On the real clock a host waits, is told that a touch is needed, and goes on as soon as it comes."""
    user = HandUser()
    device = plug_in(Authenticator(Env.real(), user=user))
    toucher = threading.Thread(target=user.touch)
    Ctap2(device).selection(on_keepalive=lambda status: toucher.start() if status == STATUS.UPNEEDED else None)
    toucher.join()
    assert user.pending is None


@pytest.mark.parametrize("plug_in", [_framed, InProcessDevice])
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (AutomaticUser(Decision.DENIED), CtapError.ERR.OPERATION_DENIED),
        (AutomaticUser(None), CtapError.ERR.USER_ACTION_TIMEOUT),
        (ScriptedUser([Act(delay=31.0)]), CtapError.ERR.USER_ACTION_TIMEOUT),
    ],
)
def test_users_who_refuse_or_stay_away_are_told_apart(
    plug_in: type[InProcessDevice], user: AutomaticUser | ScriptedUser, expected: CtapError.ERR
) -> None:
    """Half a minute of waiting takes no time on a simulated clock."""
    env = Env.simulated(1)
    ctap = Ctap2(plug_in(Authenticator(env, user=user)))
    with pytest.raises(CtapError) as refused:
        ctap.selection()
    assert refused.value.code == expected
    assert env.clock.monotonic() == (0.0 if expected == CtapError.ERR.OPERATION_DENIED else 30.0)


@pytest.mark.parametrize("plug_in", [_framed, InProcessDevice])
def test_a_host_can_cancel(plug_in: type[InProcessDevice]) -> None:
    """The client's cancel event ends the wait with 0x2D."""
    event = threading.Event()
    ctap = Ctap2(plug_in(Authenticator(Env.simulated(1), user=AutomaticUser(None))))
    with pytest.raises(CtapError) as cancelled:
        ctap.selection(event=event, on_keepalive=lambda _: event.set())
    assert cancelled.value.code == CtapError.ERR.KEEPALIVE_CANCEL


def test_closing_ends_a_read_in_another_thread() -> None:
    """A host that waits for a key that says nothing can be freed."""
    transport = InProcessTransport(CtapHid(Authenticator(Env.real())))
    connection = transport.connect()
    errors: list[OSError] = []

    def read() -> None:
        try:
            connection.read_packet()
        except OSError as error:
            errors.append(error)

    for close in (connection.close, transport.close):
        reader = threading.Thread(target=read)
        reader.start()
        close()
        reader.join()
        connection = transport.connect()
    assert ["closed" in str(error) for error in errors] == [True, True]


def test_a_power_cycle_forgets_channels_and_keeps_credentials() -> None:
    """After replugging, a host must start anew, and finds what it registered."""
    transport = InProcessTransport(CtapHid(Authenticator(Env.simulated(1))))
    device = transport.open_device()
    made = Ctap2(device).make_credential(
        HASH, {"id": "example.com"}, {"id": b"ada"}, [{"alg": -7, "type": "public-key"}], options={"rk": True}
    )
    transport.power_cycle()
    with pytest.raises(CtapError) as refused:
        device.ping(b"still there?")
    assert refused.value.code == CtapError.ERR.INVALID_CHANNEL
    found = Ctap2(transport.open_device()).get_assertion("example.com", HASH)
    assert made.auth_data.credential_data is not None
    found.verify(HASH, made.auth_data.credential_data.public_key)


def test_the_unframed_key_speaks_ctap_only() -> None:
    """Commands of the HID layer make no sense without it; U2F and CTAP2 are there as far as the profile has them."""
    device = InProcessDevice(Authenticator(Env.simulated(1)))
    assert device.call(CTAPHID.PING, b"hello") == b"hello"
    assert Ctap1(device).get_version() == "U2F_V2"
    assert device.capabilities == CAPABILITY.CBOR
    old, new = (InProcessDevice(Authenticator(Env.simulated(1), load(name))) for name in ("u2f-only", "minimal-2.0"))
    assert (old.capabilities, new.capabilities) == (0, CAPABILITY.CBOR | CAPABILITY.NMSG)
    for key, command in ((device, CTAPHID.WINK), (old, CTAPHID.CBOR), (new, CTAPHID.MSG)):
        with pytest.raises(CtapError) as refused:
            key.call(command, b"\x04")
        assert refused.value.code == CtapError.ERR.INVALID_COMMAND
    assert list(InProcessDevice.list_devices()) == []
