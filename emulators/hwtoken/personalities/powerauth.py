"""PowerAuth's offline signature: operations that the server signed, and a code of two factors."""

import hashlib
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from emulators.env import Random
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Answer, Confirmation, Offer, PinUse, Rejected
from emulators.hwtoken.personalities.slots import SlotProposal, change_slot, slots_of
from emulators.hwtoken.screens import ErrorKind
from offline_qr import powerauth

NAME = "powerauth"
WARNING = Entry("Warning", "The bank warns: this may be fraud")
ITERATIONS = 10_000


def powerauth_slot(  # noqa: PLR0913 - all that an activation leaves on a token
    name: str,
    *,
    server_keys: dict[powerauth.KeyType, ec.EllipticCurvePublicKey],
    keys: powerauth.CodeKeys,
    counter: bytes,
    pin: str,
    random: Random,
) -> Slot:
    """An activated account. The knowledge key is kept under ``pin`` with nothing to check the PIN by."""
    values = {"possession": keys.possession.hex(), "hash_counter": counter.hex(), "salt": random.token_bytes(16).hex()}
    if keys.knowledge is not None:
        values["knowledge"] = _masked(keys.knowledge, pin, values["salt"]).hex()
    for kind, key in server_keys.items():
        numbers = key.public_numbers()
        values[f"server_key_{kind.value}"] = f"04{numbers.x:064x}{numbers.y:064x}"
    return Slot(NAME, name, values)


class PowerAuthPersonality:
    """All PowerAuth activations of one token."""

    start_label = "Scan"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def offers(self) -> tuple[Offer, ...]:
        """None: everything begins with a QR code."""
        return ()

    def propose(self, data: bytes) -> SlotProposal:
        """The operation in ``data``, which a server of this token signed.

        Raises:
            Rejected: no operation, or none that such a server signed.
        """
        damaged = False
        for number, slot in slots_of(self._parts, NAME):
            try:
                operation = powerauth.parse(data, _server_keys(slot))
            except powerauth.NotOurs:
                break
            except powerauth.PowerAuthError:
                damaged = True
                continue
            return self._proposal(operation, number, slot)
        if damaged:
            raise Rejected(ErrorKind.DAMAGED, "No server of this token has signed it.")
        raise Rejected(ErrorKind.NOT_OURS, f"This is {foreign.name_of(data)}, not a challenge.")

    def _proposal(self, operation: powerauth.Operation, number: int, slot: Slot) -> SlotProposal:
        texts = (("Operation", operation.title), ("Message", operation.message), *operation.data.entries)
        entries = tuple(Entry(label, text.replace("\n", " ")) for label, text in texts if text)
        if not entries:
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what it is for.")
        if operation.fraud_warning:
            entries = (WARNING, *entries)
        pin_use = PinUse.SERVER if "knowledge" in slot.values else PinUse.NONE
        compute = partial(self._compute, operation, number)
        return SlotProposal("Operation", entries, compute, pin_use, one_entry_a_page=operation.fraud_warning)

    def _compute(self, operation: powerauth.Operation, number: int, confirmation: Confirmation) -> Answer:
        values = self._parts.memory.contents.slots[number].values
        counter = bytes.fromhex(values["hash_counter"])
        knowledge = None
        if "knowledge" in values:
            knowledge = _masked(bytes.fromhex(values["knowledge"]), confirmation.pin or "", values["salt"])
        # Durable before it is seen, so that no counter serves twice.
        change_slot(self._parts, number, values={**values, "hash_counter": powerauth.next_counter(counter).hex()})
        keys = powerauth.CodeKeys(bytes.fromhex(values["possession"]), knowledge)
        code = powerauth.compute_code(operation.signed_data, keys, counter)
        return Answer(code.replace("-", ""), "Type it to approve")


def _server_keys(slot: Slot) -> dict[powerauth.KeyType, ec.EllipticCurvePublicKey]:
    return {
        kind: ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(point))
        for kind in powerauth.KeyType
        if (point := slot.values.get(f"server_key_{kind.value}"))
    }


def _masked(key: bytes, pin: str, salt: str) -> bytes:
    mask = hashlib.pbkdf2_hmac("sha256", pin.encode("ascii"), bytes.fromhex(salt), ITERATIONS, len(key))
    return bytes(a ^ b for a, b in zip(key, mask, strict=True))
