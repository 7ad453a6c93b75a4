"""Takes a token into use: by its maker's file of seeds, or by the server of an app."""

import sys
from pathlib import Path

from authrig.errors import RigError
from authrig.tokens.errands import Courier
from authrig.tokens.token_file import TokenFile
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.personalities.ocra_keypad import ocra_slot
from emulators.hwtoken.personalities.otp import otp_slot
from emulators.hwtoken.personalities.slots import MAX_SLOTS
from offline_qr import otpauth, pskc
from offline_qr.otq1 import seeds

_HEADER = ",".join(seeds.COLUMNS)


def provision(file: TokenFile, data: bytes, source: str, *, password: str | None = None) -> None:
    """Give the token what ``data`` has for it: PSKC, CSV, a line ``serial,seed``, or lines of ``otpauth://`` (for any token).

    The token is dark afterwards.

    Raises:
        RigError: if the data is none of these, has nothing for this token, or what this model cannot use; or the token has
            another seed already.
    """
    memory = file.memory()
    serial = memory.serial or ""
    try:
        found = _read(data, password, serial)
    except (seeds.SeedFileError, pskc.PskcError, otpauth.OtpAuthError, ValueError) as error:
        raise RigError(f"{source}: {error}") from error
    mine = [secret for owner, secret in found if owner == serial]
    if not mine:
        raise RigError(f"{source}: expected a seed for {serial}, found {_serials([owner for owner, _ in found])}")
    for secret in mine:
        protocol = secret.personality if isinstance(secret, Slot) else "otq1"
        if protocol not in file.profile.personalities:
            known = ", ".join(file.profile.personalities)
            raise RigError(f"{source}: expected a key for {known}, as this model speaks, found one for {protocol}")
    slots = [secret for secret in mine if isinstance(secret, Slot)]
    _add(file, slots, source)
    for secret in mine:
        if isinstance(secret, bytes):
            _give(file, secret)


def enrol_app(file: TokenFile, courier: Courier, cloud_url: str, code: str) -> None:
    """Show ``code`` (or what a QR code of an enrolment says) to the cloud at ``cloud_url``, and keep what it gives.

    The token is dark afterwards.

    Raises:
        RigError: if this model has no network, is activated already, or the server refuses.
    """
    memory, profile = file.memory(), file.profile
    if not profile.behaviour.network:
        raise RigError(f"expected a model with a network, such as phone-app, found {profile.name}")
    if memory.identity is not None or memory.serial is None:
        raise RigError(f"token file {file.name}: expected a token that is not activated yet, found {memory.serial}")
    account, seed = courier.enrol(cloud_url, code.strip().rpartition("/")[2], memory.serial, profile.name)
    # The seed last: a token that has it has all.
    file.keep(app=account)
    _give(file, seed)


def _give(file: TokenFile, seed: bytes) -> None:
    memory = file.memory()
    try:
        memory.provision(memory.serial or "", seed)
    except (ValueError, MemoryFault) as error:
        raise RigError(f"token file {file.name}: {error}") from error
    file.keep(session=None)


def _add(file: TokenFile, slots: list[Slot], source: str) -> None:
    """Keep further accounts, all or none."""
    memory = file.memory()
    before = memory.contents.slots
    known = {(slot.personality, slot.name) for slot in before}
    for slot in slots:
        if (slot.personality, slot.name) in known:
            raise RigError(f"{source}: the token has an account {slot.name!r} already")
        known.add((slot.personality, slot.name))
    if len(before) + len(slots) > MAX_SLOTS:
        raise RigError(f"{source}: expected up to {MAX_SLOTS} accounts, found {len(before) + len(slots)}")
    if slots:
        try:
            memory.update(slots=(*before, *slots))
        except MemoryFault as error:
            raise RigError(str(error)) from error
        file.keep(session=None)


def _read(data: bytes, password: str | None, serial: str) -> list[tuple[str, bytes | Slot]]:
    """Each secret with the serial of the token that it is for."""
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        return [(key.serial, _secret_of(key)) for key in pskc.read(data, password=password)]
    if text.startswith(otpauth.PREFIX.encode()):
        return [(serial, otp_slot(otpauth.parse(line))) for line in text.splitlines() if line.strip()]
    named = text.startswith(_HEADER.encode())
    return [(each.serial, each.seed) for each in seeds.read_csv(text.rstrip() + b"\r\n", columns_named=named)]


def _secret_of(key: pskc.PskcKey) -> bytes | Slot:
    """An OTQ1 seed, or the account of another protocol. Raises ValueError where it is for none."""
    if key.algorithm == seeds.ALGORITHM:
        return seeds.Seed(key.serial, key.secret).seed
    kind = key.algorithm.rpartition("pskc:")[2].lower()
    if kind in {"hotp", "totp"}:
        account = otpauth.OtpAccount(
            otpauth.OtpType(kind),
            key.secret,
            key.id or key.serial,
            key.issuer,
            key.suite.upper().removeprefix("HMAC-") or "SHA1",
            key.digits or 6,
            (key.time_interval or otpauth.DEFAULT_PERIOD) if kind == "totp" else None,
            (key.counter or 0) if kind == "hotp" else None,
        )
        return otp_slot(account)
    if kind.startswith("ocra"):
        return ocra_slot((key.id or key.serial)[:255], key.suite, key.secret, key.counter or 0)
    raise ValueError(f"the key {key.id[:40]!r} is for no protocol of a token, found {key.algorithm[:80]!r}")


def _serials(found: list[str]) -> str:
    if not found:
        return "none at all"
    shown = ", ".join(found[:3])
    return shown if len(found) <= 3 else f"{shown} and {len(found) - 3} more"


def read_input(path: str) -> bytes:
    """The bytes of the file ``path``, or of standard input for ``-``. Raises RigError."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise RigError(f"{path}: cannot be read: {error.strerror}") from error
