"""The names of models and cameras in a rig file: is there one of that name in this package?"""

from collections.abc import Callable, Iterator

from authrig.rig_file.entries import Camera, CameraDevice, Device, Fido, OtpToken, QrToken, Scanner


def model_mistakes(device: Device) -> Iterator[str]:
    """What of ``device`` names a profile or preset that there is not: the place, what is expected, and what was found."""
    for place, name, names in _named(device):
        if name not in (known := names()):
            yield f"{place}: expected one of {', '.join(known)}, found {name!r}"


def _named(device: Device) -> Iterator[tuple[str, str, Callable[[], tuple[str, ...]]]]:
    if isinstance(device, Fido) and device.emulated is not None:
        yield "emulated.profile", device.emulated.profile, _key_profiles
    if isinstance(device, QrToken | OtpToken):
        if device.emulated is not None:
            yield "emulated.profile", device.emulated.profile, _token_profiles
            yield "emulated.preset", device.emulated.preset, _presets
        if isinstance(device.display, Camera):
            yield "display.profile", device.display.profile, _token_profiles
    if isinstance(device, Scanner | CameraDevice) and device.emulated is not None:
        yield "emulated.preset", device.emulated.preset, _presets


def _key_profiles() -> tuple[str, ...]:
    from emulators.fido_authenticator.profile import names  # noqa: PLC0415 - slow to import, and not for each rig

    return names()


def _token_profiles() -> tuple[str, ...]:
    from emulators.hwtoken.profile import profile_names  # noqa: PLC0415 - as above

    return profile_names()


def _presets() -> tuple[str, ...]:
    from emulators.camera_scanner.preset import preset_names  # noqa: PLC0415 - as above

    return preset_names()
