"""Logs, tracebacks and failed assertions print values: no secret stands in their texts."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import msgspec

from authrig.rig_file.entries import AttachedFido, AttachedToken, Fido, QrToken, RigFile, UsbMatch
from server_stub.api.authentication import PasswordCheck
from server_stub.api.routing import Call

PACKAGES = ("authrig", "emulators", "offline_qr", "server_stub")
SECRET = re.compile(
    r"(.*_)?(pin|password|passcode|otp|seed|seed_hex|secret|key|key_hex|private|verifier|ticket|cookies|headers|jar|id_token"
    r"|activation_code|short_code)"
)
"""Names of what is secret, or has a secret in it, if it is text, bytes or a table."""
NO_SECRET = {
    "Account.verify_key": "public",
    "LentToken.factory_key": "public",
    "Options.public_key": "public",
    "FidoAttributes.public_key": "public",
    "ApprovalFidoAttributes.public_key": "public",
    "PairingUrl.server_public_key": "public",
    "PairingResponse.user_public_key": "public",
    "SealedActivation.verify_key": "public",
    "_Seeded.from_seed": "a function",
    "_Seeded.cose_key": "the part of a public key that all have",
    "AuthenticationChallenge.session_key": "stands on the page in the clear, and is worth nothing without a response",
    "Login.session_key": "as in the challenge",
    "Test.key": "a test's place in a list",
    "HttpPost.headers": "a content type, or what a protocol says of its version",
    "HttpReply.headers": "the token reads a content type and a length from them",
    "_PolicyRow.headers": "what a policy asks for",
    "Access.headers": "descriptions of headers",
}


def _all_classes() -> Iterator[type]:
    for package in map(import_module, PACKAGES):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in found.name and not found.name.endswith("__main__"):
                module = import_module(found.name)
                yield from (
                    each for each in vars(module).values() if isinstance(each, type) and each.__module__ == found.name
                )


def _shown(each: type) -> dict[str, Any]:
    """The members that stand in the text of a record, and what they are."""
    if is_dataclass(each):
        return {field.name: field.type for field in fields(each) if field.repr}
    if issubclass(each, msgspec.Struct) and each.__repr__ is msgspec.Struct.__repr__:
        return {field.name: field.type for field in msgspec.structs.fields(each)}
    return {}


def test_no_value_shows_a_secret_by_its_name() -> None:
    """In any class of records of the product; what is public in spite of its name is listed with the reason."""
    found = {
        f"{each.__name__}.{name}"
        for each in _all_classes()
        for name, kind in _shown(each).items()
        if SECRET.fullmatch(name) and re.search(r"\b(str|bytes|Mapping|dict)\b", str(kind))
    }
    assert sorted(found - NO_SECRET.keys()) == []
    assert sorted(NO_SECRET.keys() - found) == [], "these are gone, or hidden by now"


def test_a_rig_files_pins_and_seeds_are_not_shown() -> None:
    """They are those of devices on somebody's bench, and pytest prints what a failed test held."""
    key = AttachedFido(match=UsbMatch(vendor=0x1050), pin="271828")
    token = AttachedToken(serial="QT1-00000042", pin="314159", seed_hex="c0ffee" * 10)
    shown = repr(RigFile(version=1, devices={"key": Fido(attached=key), "token": QrToken(attached=token)}))
    assert "QT1-00000042" in shown
    assert [secret for secret in ("271828", "314159", "c0ffee") if secret in shown] == []


def test_a_request_shows_no_password_and_no_cookie() -> None:
    """A failure of the server's may be logged with it."""
    body = PasswordCheck(username="alice", password="correct horse")
    call = Call(body, {}, {}, {"authrig_session": "cookie-value"}, "192.0.2.1", {"authorization": "Bearer token"})
    assert "192.0.2.1" in repr(call)
    assert [secret for secret in ("correct horse", "cookie-value", "Bearer") if secret in repr(call)] == []
