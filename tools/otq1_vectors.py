"""Makes the worked examples and the C header of OTQ1: tests/data/otq1_all.json and docs/reference/otq1.h.

Run it after a change of the protocol: ``python tools/otq1_vectors.py``. Everything is a function of the constants below,
so a second run writes the same bytes. All keys are for tests only.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offline_qr import base45_strict, gcm_siv
from offline_qr.otq1 import (
    SUITES,
    Account,
    Activation,
    AdminMessage,
    Challenge,
    Command,
    Demo,
    Field,
    Flags,
    Header,
    Inputs,
    MessageType,
    Profile,
    Tag,
    activate_by_code,
    activate_preseeded,
    activation_code,
    admin,
    body,
    challenge,
    compute_admin_code,
    compute_code,
    compute_decline_code,
    compute_duress_code,
    derive_keys,
    encode,
    encode_activation,
    encode_admin,
    encode_demo,
    envelope,
    header,
    key_id,
    keys,
    make_activation_code,
)
from offline_qr.otq1 import activation as activation_module
from offline_qr.otq1.header import DEFAULT_TTL, PIN_SUITE

ROOT = Path(__file__).parents[1]
VECTORS = ROOT / "tests/data/otq1_all.json"
C_HEADER = ROOT / "docs/reference/otq1.h"

SERIAL = "QT1-00000042"
SEED = bytes(range(32))
SIGNING_KEY = bytes(range(0x20, 0x40))
FACTORY_KEY = bytes(range(0x40, 0x60))
EPHEMERAL_KEY = bytes(range(0x60, 0x80))
NEW_SEED = bytes(range(0x80, 0xA0))
SALT = bytes(range(0xA0, 0xB0))
CODE = make_activation_code("1234567890123456")
ISSUED_AT = 1_767_225_600
"""2026-01-01T00:00:00Z."""
PIN = "2580"
COUNTER = 7
TIME_STEP = ISSUED_AT // 60
KEYS = derive_keys(SERIAL, SEED)
VERIFY_KEY = Ed25519PrivateKey.from_private_bytes(SIGNING_KEY).public_key().public_bytes_raw()
FACTORY_PUBLIC_KEY = X25519PrivateKey.from_private_bytes(FACTORY_KEY).public_key().public_bytes_raw()
ACCOUNT = Account("e-Banking")
SIGNED_ACCOUNT = Account("e-Banking", VERIFY_KEY)

LOGIN = (Field(Tag.SERVICE, "e-Banking"), Field(Tag.USER, "alice@example.ch"), Field(Tag.PLACE, "Zürich, Firefox"))
PAYMENT = (
    Field(Tag.AMOUNT, "CHF 1'250.00"),
    Field(Tag.TO_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
    Field(Tag.BENEFICIARY, "Müller & Söhne AG"),
    Field(Tag.REFERENCE, "Rechnung 2026-0815"),
)
CUSTOM = (Field(Tag.CUSTOM, "1 Stück", "Größe"), Field(Tag.CUSTOM, "京都", "場所"))
INPUTS = {3: Inputs(counter=COUNTER), PIN_SUITE: Inputs(pin=PIN), 5: Inputs(time_step=TIME_STEP)}


def make_header(name: str, kind: MessageType, suite: int = 1, flags: Flags = Flags.NONE) -> Header:
    """A header whose challenge id comes from the example's name."""
    challenge_id = hashlib.sha256(f"OTQ1 example {name}".encode()).digest()[: header.CHALLENGE_ID_BYTES]
    return Header(kind, key_id(SERIAL), challenge_id, ISSUED_AT, DEFAULT_TTL[kind], suite, flags)


def describe(name: str, head: Header, text: str, **more: Any) -> dict[str, Any]:
    """What all examples have in common."""
    return {
        "name": name,
        "type": int(head.type),
        "suite": head.suite,
        "flags": int(head.flags),
        "challenge_id": head.challenge_id.hex(),
        "header": head.pack().hex(),
        **more,
        "message": base45_strict.decode(text.removeprefix("OTQ1:").encode()).hex(),
        "text": text,
    }


def describe_challenge(name: str, kind: MessageType, fields: tuple[Field, ...], **header_values: Any) -> dict[str, Any]:
    """A login or transaction, and all that can be answered."""
    asked = Challenge(make_header(name, kind, **header_values), fields)
    inputs = INPUTS.get(asked.header.suite, Inputs())
    signing_key = SIGNING_KEY if asked.header.flags & Flags.SIGNED else None
    codes = {"code": compute_code(asked, KEYS, inputs), "decline_code": compute_decline_code(asked, KEYS)}
    if asked.header.suite != PIN_SUITE:
        codes["duress_code"] = compute_duress_code(asked, KEYS, inputs)
    given = {"counter": inputs.counter, "pin": inputs.pin, "time_step": inputs.time_step}
    return describe(
        name,
        asked.header,
        encode(asked, KEYS, signing_key),
        ocra_suite=asked.header.ocra_suite.text,
        fields=[[int(each.tag), each.label, each.value] for each in fields],
        body=asked.body.hex(),
        question=asked.question,
        inputs={key: value for key, value in given.items() if value is not None},
        **codes,
    )


def describe_admin(name: str, sequence: int, command: Command, argument: int | None, flags: Flags) -> dict[str, Any]:
    """An admin message and its code."""
    message = AdminMessage(make_header(name, MessageType.ADMIN, flags=flags), sequence, command, argument)
    return describe(
        name,
        message.header,
        encode_admin(message, KEYS, SIGNING_KEY if flags else None),
        sequence=sequence,
        command=int(command),
        argument=argument,
        body=message.body.hex(),
        question=message.question,
        code=compute_admin_code(message, KEYS),
    )


def describe_activation(name: str, made: Activation, signing_key: bytes | None = None) -> dict[str, Any]:
    """An activation and its code."""
    verify_key = made.account.verify_key
    return describe(
        name,
        made.header,
        encode_activation(made, signing_key),
        profile=int(made.profile),
        label=made.account.label,
        verify_key=verify_key.hex() if verify_key else None,
        account=made.account.pack().hex(),
        content=made.content.hex(),
        new_seed=made.seed.hex() if made.seed else None,
        question=made.question,
        code=made.compute_code(),
    )


def describe_demo(name: str, key: bytes, fields: tuple[Field, ...]) -> dict[str, Any]:
    """A demo."""
    demo = Demo(replace(make_header(name, MessageType.DEMO), key_id=key), fields)
    shown = [[int(each.tag), each.label, each.value] for each in fields]
    return describe(name, demo.header, encode_demo(demo), fields=shown, body=body.pack_fields(fields).hex())


def activate_with_known_ephemeral(head: Header, account: Account) -> Activation:
    """Profile B with an ephemeral key that is written down, so that firmware can follow each step.

    RFC 9180 by hand: the library, which ``decode_activation`` uses, draws its own.
    """
    ephemeral = X25519PrivateKey.from_private_bytes(EPHEMERAL_KEY)
    encapsulated = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(FACTORY_PUBLIC_KEY))
    info = activation_module.HPKE_DOMAIN + head.pack() + bytes([Profile.HPKE])
    # §4.1, DHKEM(X25519, HKDF-SHA256)
    kem = b"KEM\x00\x20"
    context = encapsulated + FACTORY_PUBLIC_KEY
    shared = labeled_expand(kem, labeled_extract(kem, b"", b"eae_prk", shared), b"shared_secret", context, 32)
    # §5.1, KeySchedule in base mode
    suite = b"HPKE\x00\x20\x00\x01\x00\x02"
    schedule = (
        b"\0" + labeled_extract(suite, b"", b"psk_id_hash", b"") + labeled_extract(suite, b"", b"info_hash", info)
    )
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", schedule, 32)
    nonce = labeled_expand(suite, secret, b"base_nonce", schedule, 12)
    sealed = AESGCM(key).encrypt(nonce, NEW_SEED + account.pack(), b"")
    content = bytes([Profile.HPKE]) + encapsulated + sealed
    return Activation(head, Profile.HPKE, account, derive_keys(SERIAL, NEW_SEED), NEW_SEED, content)


def labeled_extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    """RFC 9180 §4, over HKDF-Extract with SHA-256."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")


def labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """RFC 9180 §4, over HKDF-Expand with SHA-256, for up to 32 bytes."""
    labeled = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labeled + b"\1", "sha256")[:length]


def make_vectors() -> list[dict[str, Any]]:
    """One example for each type, suite, profile and command, and for what can be added to them."""
    login, transaction, activation = MessageType.LOGIN, MessageType.TRANSACTION, MessageType.ACTIVATION
    signed = make_header("activation B signed", activation, flags=Flags.SIGNED)
    return [
        *(describe_challenge(f"login suite {suite}", login, LOGIN, suite=suite) for suite in SUITES),
        *(describe_challenge(f"payment suite {suite}", transaction, PAYMENT, suite=suite) for suite in SUITES if suite != 2),
        describe_challenge("payment signed", transaction, PAYMENT, flags=Flags.SIGNED),
        describe_challenge("login with a PIN, each field by itself", login, LOGIN, flags=Flags(6)),
        describe_challenge("login with labels of its own", login, CUSTOM),
        describe_challenge("login without fields", login, ()),
        describe_activation("activation A", activate_preseeded(make_header("activation A", activation), SERIAL, SEED, ACCOUNT)),
        describe_activation("activation B", activate_with_known_ephemeral(make_header("activation B", activation), ACCOUNT)),
        describe_activation("activation B signed", activate_with_known_ephemeral(signed, SIGNED_ACCOUNT), SIGNING_KEY),
        describe_activation("activation C", activate_by_code(make_header("activation C", activation), SERIAL, CODE, SALT, ACCOUNT)),
        describe_admin("clock sync", 1, Command.CLOCK_SYNC, None, Flags.NONE),
        describe_admin("counter sync", 2, Command.COUNTER_SYNC, 1000, Flags.NONE),
        describe_admin("PIN unlock, PIN kept", 3, Command.PIN_UNLOCK, 1, Flags.NONE),
        describe_admin("PIN unlock, new PIN", 4, Command.PIN_UNLOCK, 0, Flags.NONE),
        describe_admin("wipe signed", 5, Command.WIPE, None, Flags.SIGNED),
        describe_demo("demo", key_id(SERIAL), LOGIN),
        describe_demo("demo for any token", envelope.ANY_TOKEN, LOGIN),
    ]  # fmt: skip


def make_json() -> str:
    """The file of examples."""
    names = ("qr_seal", "ocra_login", "ocra_txn", "ocra_admin", "ocra_duress", "decline")
    content = {
        "about": "Worked examples of OTQ1 (docs/reference/otq1.md), made by tools/otq1_vectors.py. Keys for tests only.",
        "serial": SERIAL,
        "seed": SEED.hex(),
        "keys": {name.replace("_", "-"): getattr(KEYS, name).hex() for name in names},
        "key_id": key_id(SERIAL).hex(),
        "signing_key": SIGNING_KEY.hex(),
        "verify_key": VERIFY_KEY.hex(),
        "factory_key": FACTORY_KEY.hex(),
        "factory_public_key": FACTORY_PUBLIC_KEY.hex(),
        "ephemeral_key": EPHEMERAL_KEY.hex(),
        "activation_code": CODE,
        "salt": SALT.hex(),
        "vectors": make_vectors(),
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def make_c_header() -> str:
    """The constants as firmware wants them."""
    numbers: list[tuple[str, int]] = [
        ("VERSION", header.VERSION),
        ("HEADER_BYTES", header.HEADER_BYTES),
        ("KEY_ID_BYTES", keys.KEY_ID_BYTES),
        ("CHALLENGE_ID_BYTES", header.CHALLENGE_ID_BYTES),
        ("SEED_BYTES", keys.SEED_BYTES),
        ("TAG_BYTES", gcm_siv.TAG_BYTES),
        ("SIGNATURE_BYTES", envelope.SIGNATURE_BYTES),
        ("VERIFY_KEY_BYTES", envelope.VERIFY_KEY_BYTES),
        ("MAX_MESSAGE_BYTES", envelope.MAX_MESSAGE_BYTES),
        ("TTL_MIN_SECONDS", header.TTL_SECONDS[0]),
        ("TTL_MAX_SECONDS", header.TTL_SECONDS[-1]),
        ("MAX_FIELDS", body.MAX_FIELDS),
        ("MAX_LABEL_BYTES", body.MAX_LABEL_BYTES),
        ("MAX_VALUE_BYTES", body.MAX_VALUE_BYTES),
        ("MAX_BODY_BYTES", body.MAX_BODY_BYTES),
        *((f"TYPE_{kind.name}", kind.value) for kind in MessageType),
        *((f"FLAG_{flag.name}", flag.value) for flag in Flags if flag),
        *((f"FIELD_{tag.name}", tag.value) for tag in Tag),
        *((f"PROFILE_{profile.name}", profile.value) for profile in Profile),
        *((f"COMMAND_{command.name}", command.value) for command in Command),
        ("ADMIN_SEQUENCE_BYTES", admin.SEQUENCE_BYTES),
        ("ADMIN_COUNTER_BYTES", admin.COUNTER_BYTES),
        ("ACTIVATION_CODE_DIGITS", activation_code.CODE_DIGITS),
        ("ACTIVATION_SALT_BYTES", activation_code.SALT_BYTES),
        ("ARGON2ID_MEMORY_KIB", activation_code.MEMORY_KIB),
        ("ARGON2ID_ITERATIONS", activation_code.ITERATIONS),
        ("ARGON2ID_LANES", activation_code.LANES),
    ]
    texts = [
        ("PREFIX", envelope.PREFIX.decode()),
        *((f"SUITE_{number}", suite.text) for number, suite in SUITES.items()),
        ("DOMAIN_LOGIN", challenge.DOMAINS[MessageType.LOGIN].decode()),
        ("DOMAIN_TRANSACTION", challenge.DOMAINS[MessageType.TRANSACTION].decode()),
        ("DOMAIN_ADMIN", challenge.DOMAINS[MessageType.ADMIN].decode()),
        ("DOMAIN_SIGNATURE", envelope.SIGNATURE_DOMAIN.decode()),
        ("DOMAIN_HPKE", activation_module.HPKE_DOMAIN.decode()),
        ("SALT_PREFIX", keys.SALT_PREFIX.decode()),
        *((f"LABEL_{name.upper().replace('-', '_')}", f"OTQ1 {name}") for name in keys.LABELS),
        ("LABEL_ACTIVATION_SEED", keys.ACTIVATION_SEED_LABEL.decode()),
    ]
    lines = [f"#define OTQ1_{name} {value}" for name, value in numbers]
    lines += [f'#define OTQ1_{name} "{value.rstrip(chr(0))}"' for name, value in texts]
    about = (
        "/* Constants of OTQ1 (otq1.md), made by tools/otq1_vectors.py. Numbers are decimal, texts ASCII.\n"
        "   Each OTQ1_DOMAIN_ is followed by one zero byte, which C appends by itself: use sizeof, not strlen. */"
    )
    return "\n".join([about, "#ifndef OTQ1_H", "#define OTQ1_H", "", *lines, "", "#endif", ""])


if __name__ == "__main__":
    VECTORS.write_text(make_json(), encoding="utf-8")
    C_HEADER.write_text(make_c_header(), encoding="utf-8")
    print(f"wrote {VECTORS.relative_to(ROOT)} and {C_HEADER.relative_to(ROOT)}")
