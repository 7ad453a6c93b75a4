"""Which of a user's devices can do which method, and what is asked of a user who has one, several or none."""

from collections.abc import Sequence

from server_stub.cloud.messages import Device
from server_stub.flows.flow import Method
from server_stub.sessions import Pending

CAPABILITY = {Method.PUSH: "one_touch", Method.OFFLINE_QR: "offline_qrcode", Method.OTP: "passcode"}
"""The methods that need a device of the cloud, and what the device must be able to do."""


def usable(devices: Sequence[Device], methods: Sequence[Method]) -> list[Device]:
    """The devices that can do one of ``methods``; suspended ones cannot."""
    wanted = {CAPABILITY[method] for method in methods if method in CAPABILITY}
    return [device for device in devices if device.state == "active" and wanted.intersection(device.capabilities)]


def factor_of(device: Device, methods: Sequence[Method]) -> Method | None:
    """The first of ``methods``, which stand in the flow's order, that ``device`` can do."""
    return next((method for method in methods if CAPABILITY.get(method) in device.capabilities), None)


def prepare(devices: Sequence[Device], methods: Sequence[Method]) -> Pending:
    """The device and the factor, when there is nothing to choose; FIDO for who has no device but may use a key."""
    candidates = usable(devices, methods)
    if len(candidates) == 1:
        return Pending(candidates[0].device_id, factor=factor_of(candidates[0], methods))
    if not candidates and Method.FIDO in methods:
        return Pending(factor=Method.FIDO)
    return Pending()
