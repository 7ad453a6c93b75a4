"""A token in words: for people who look at it, and for scripts."""

from typing import Any

from authrig.tokens.errands import Courier
from authrig.tokens.handled import HandledToken
from authrig.tokens.token_file import TokenFile
from emulators.env import SystemClock
from emulators.hwtoken.accounts import PROTOCOLS
from emulators.hwtoken.profile import Profile, load_profile, profile_names
from emulators.hwtoken.readout import read_keys, read_text
from emulators.hwtoken.token import QrToken


def describe_file(file: TokenFile) -> dict[str, Any]:
    """What the file says about the token, and no secret of it. Raises RigError."""
    kept, memory = file.kept, file.memory()
    contents, app = memory.contents, file.app(memory)
    now = HandledToken(file, SystemClock(), Courier()).token.screen
    return {
        "profile": kept.profile,
        "model": file.profile.name,
        "serial": contents.serial,
        "firmware": file.profile.firmware,
        "test_device": True,
        "predictable": kept.seed is not None,
        "activated": contents.seed is not None or bool(contents.slots),
        "erased_by_tampering": contents.zeroised,
        "accounts": [
            *([{"protocol": "OTQ1", "name": contents.label or ""}] if contents.seed else []),
            *(
                {"protocol": PROTOCOLS.get(slot.personality, slot.personality), "name": slot.name}
                for slot in contents.slots
            ),
        ],
        "pin": None if file.profile.pin is None else "set" if contents.pin else "to be set",
        "pin_tries_spent": contents.pin_tries_spent,
        "counter": contents.counter,
        "sequence": contents.sequence,
        "factory_public_key": _public_key(contents.factory_key),
        "server": app.cloud_url if app else None,
        "screen": now.state.name.lower(),
    }


def state_text(described: dict[str, Any]) -> str:
    """``describe_file`` for people, a line for each thing."""
    return "".join(f"{member}: {_readable(value)}\n" for member, value in described.items())


def describe_profiles() -> list[dict[str, Any]]:
    """The models that are shipped."""
    return [_describe(name, load_profile(name)) for name in profile_names()]


def screen_document(token: QrToken) -> dict[str, Any]:
    """The screen as the token's console tells it, without the hash."""
    cancel, ok = read_keys(token.screen)
    return {
        "state": token.screen.state.name.lower(),
        "lines": list(read_text(token.screen, token.profile)),
        "keys": {"cancel": cancel, "ok": ok},
    }


def screen_text(token: QrToken) -> str:
    """The screen for a person at a terminal."""
    document = screen_document(token)
    if document["state"] == "off":
        return "(dark)\n"
    keys = document["keys"]
    labels = [f"[{name}] {word}" for name, word in (("cancel", keys["cancel"]), ("ok", keys["ok"])) if word]
    return "\n".join([*document["lines"], *(["   ".join(labels)] if labels else [])]) + "\n"


def picture(handled: HandledToken) -> bytes:
    """The whole device as a PNG."""
    from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - slow to import, and few look at a picture
    from emulators.hwtoken.display import picture as draw  # noqa: PLC0415 - as above

    token = handled.token
    return encode_png(draw(token.screen, token.profile, None, token.defects))


def _describe(name: str, profile: Profile) -> dict[str, Any]:
    return {
        "name": name,
        "model": profile.name,
        "personalities": list(profile.personalities),
        "display": [profile.display.width, profile.display.height],
        "keypad": profile.behaviour.keypad,
        "camera": profile.behaviour.camera,
        "network": profile.behaviour.network,
        "pin": profile.pin is not None,
    }


def _readable(value: object) -> str:
    match value:
        case None:
            return "(absent)"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(f"{each['name'] or '(no name)'} ({each['protocol']})" for each in value)
        case _:
            return str(value)


def _public_key(private: str | None) -> str | None:
    """What the maker would put into its file, for activation by HPKE."""
    if private is None:
        return None
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: PLC0415 - as above

    return X25519PrivateKey.from_private_bytes(bytes.fromhex(private)).public_key().public_bytes_raw().hex()
