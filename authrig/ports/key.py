"""What the rig does to a security key: plug it in, touch it, and let a client talk to it.

A test never asks whether the key is emulated or attached: that is the cable's business, and the finger's.
"""

from collections.abc import Callable
from typing import Any, Final

from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.hid import CAPABILITY
from fido2.hid.base import CtapHidConnection
from fido2.webauthn import PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions

from authrig.captures.comments import ReportComments
from authrig.errors import Deviation
from authrig.evidence.ctap_lines import CtapTranscript
from authrig.evidence.recorder import Event, Exhibit, Traffic
from authrig.ports.capabilities import CTAPHID, POWER, SHARED, capabilities_of
from authrig.ports.key_cables import Cable
from authrig.ports.presence import Presence, TouchedDevice
from emulators.fido_authenticator.ctaphid import Direction


class KeyRefused(Deviation):
    """The key refused; ``status`` is the name of its CTAP status (CTAP 2.3 §8.2), such as ``NO_CREDENTIALS``.

    A flow that provokes the refusal catches it; one that does not has deviated.
    """

    def __init__(self, status: str) -> None:
        super().__init__("the key's answer", "OK", status)
        self.status = status


PIN: Final = "1234"
"""The PIN of the emulated keys of the rig."""


class _KnowsThePin(UserInteraction):
    """The person in front of the client. Touches are not its business: the device that it is given is touched."""

    def __init__(self, pin: str) -> None:
        self._pin = pin

    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        """Type the PIN."""
        del permissions, rp_id
        return self._pin


class Key:
    """A key behind the unmodified python-fido2 client, with all its reports on record.

    Args:
        cable: what it is plugged in by.
        presence: who touches it; a test holds the finger back with ``presence.held_back()``.
        pin: the PIN that it has, or gets by ``ensure_pin``.
        on_exhibit: gets each report as an event, and the decoded traffic when it is asked for.
        name: for the event log.
    """

    def __init__(
        self, cable: Cable, presence: Presence, pin: str, on_exhibit: Callable[[Exhibit], None], name: str = "key"
    ) -> None:
        self.name = name
        self.presence = presence
        self.pin = pin
        self.declared: frozenset[str] = frozenset()
        """What it can do beyond what it says of itself, as a rig file may say."""
        self._cable = cable
        self._on_exhibit = on_exhibit
        self._transcript = CtapTranscript()

    @property
    def has_own_clock(self) -> bool:
        """Whether time passes in it as it does in the world, whatever the rig's clock says."""
        return self._cable.has_own_clock

    def open(self) -> TouchedDevice:
        """A new host's connection to the key, to be closed by whoever asked for it; it is touched when it blinks.

        Raises:
            RigError: if the key is not there.
        """
        return TouchedDevice(self._cable.open(self._tap()), self.presence)

    def open_connection(self) -> CtapHidConnection:
        """As ``open``, for a host that writes and reads the 64-byte reports itself; nobody touches by itself.

        Raises:
            RigError: if the key is not there, or speaks no CTAPHID.
        """
        return self._cable.connect(self._tap())

    def _tap(self) -> Callable[[Direction, bytes], None]:
        """Reads along with one host: for the transcript, and for the event log."""
        comments = ReportComments()

        def tap(direction: Direction, report: bytes) -> None:
            self._transcript.add(direction, report)
            about = comments.comment(direction, report)
            decoded = {} if about is None else {"about": about}
            where = "to_device" if direction == "to_key" else "from_device"
            self._on_exhibit(Event("ctaphid", self.name, where, report, decoded))

        return tap

    def capabilities(self) -> frozenset[str]:
        """What it can do, in the words that ``authrig.ports.capabilities`` lists.

        Raises:
            RigError: if the key is not there.
        """
        with self.open() as device:
            words = capabilities_of(device)
        self._transcript.take_lines()
        cable = self._cable
        by_cable = {CTAPHID: cable.has_reports, SHARED: cable.is_shared, POWER: cable.has_power_switch}
        return words | self.declared | {word for word, holds in by_cable.items() if holds}

    def ensure_pin(self) -> None:
        """Set the PIN, if the key can have one and has none.

        Raises:
            RigError: if the key is not there.
        """
        with self.open() as device:
            if not device.capabilities & CAPABILITY.CBOR:
                return
            ctap2 = Ctap2(device)
            # An options entry that is false means: there can be a PIN, and there is none yet.
            if ctap2.info.options.get("clientPin") is False:
                ClientPin(ctap2).set_pin(self.pin)
        self._transcript.take_lines()

    def make_credential(self, origin: str, options: dict[str, Any]) -> dict[str, Any]:
        """Register at ``origin`` with WebAuthn creation options in JSON; returns a RegistrationResponseJSON.

        Raises:
            KeyRefused: if the key refuses.
            RigError: if the key is not there.
        """
        with self.open() as device:
            try:
                made = self._client(device, origin).make_credential(
                    PublicKeyCredentialCreationOptions.from_dict(options)
                )
            except ClientError as error:
                raise _refusal(error) from error
            return dict(made)

    def get_assertion(self, origin: str, options: dict[str, Any]) -> dict[str, Any]:
        """Log in at ``origin`` with WebAuthn request options in JSON; returns an AuthenticationResponseJSON.

        Raises:
            KeyRefused: if the key refuses.
            RigError: if the key is not there.
        """
        with self.open() as device:
            try:
                client = self._client(device, origin)
                selection = client.get_assertion(PublicKeyCredentialRequestOptions.from_dict(options))
                return dict(selection.get_response(0))
            except ClientError as error:
                raise _refusal(error) from error

    def unplug(self) -> None:
        """Take the key out; hosts that have it open read an error.

        Raises:
            RigError: if nothing can do that.
        """
        self._cable.unplug()

    def plug_in(self) -> None:
        """Put the key back, and wait until it is there.

        Raises:
            RigError: if nothing can do that, or it does not come.
        """
        self._cable.plug_in()

    def restart(self) -> None:
        """Take the key out and put it back.

        Raises:
            RigError: if nothing can do that, or it does not come back.
        """
        self.unplug()
        self.plug_in()

    def exhibit_traffic(self) -> tuple[str, ...]:
        """Hand over the CTAP traffic since the last time, decoded; returns its lines."""
        lines = tuple(self._transcript.take_lines())
        self._on_exhibit(Traffic("what client and key said to each other", lines))
        return lines

    def close(self) -> None:
        """Put the cable away; an attached key stays plugged in."""
        self._cable.close()

    def _client(self, device: TouchedDevice, origin: str) -> Fido2Client:
        return Fido2Client(device, DefaultClientDataCollector(origin), _KnowsThePin(self.pin))


def _refusal(error: ClientError) -> KeyRefused:
    """The key's own word inside the client's error."""
    cause = error.cause
    return KeyRefused(cause.code.name if isinstance(cause, CtapError) else error.code.name)
