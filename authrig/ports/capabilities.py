"""What a security key can do, in words that tests choose by.

The words are those of getInfo (CTAP 2.3 §6.4): versions, extensions, and options; and, beside them,

- ``CTAP2`` and ``WINK``, as the answer to CTAPHID_INIT says (§11.2.9.1.3);
- ``PIN``: the key has a PIN now;
- ``pinUvAuthProtocol1`` and ``pinUvAuthProtocol2``;
- ``CTAPHID``: it is reached by reports, not by the APDUs of a smart card;
- ``shared``: several programs may have it open at once;
- ``power``: something, or somebody, can unplug it.
"""

from typing import Final

from fido2.ctap import CtapDevice
from fido2.ctap2.base import Ctap2, Info
from fido2.hid import CAPABILITY

CTAPHID: Final = "CTAPHID"
POWER: Final = "power"
SHARED: Final = "shared"

NOT_SET_UP_YET: Final = frozenset(
    {"alwaysUv", "bioEnroll", "clientPin", "ep", "userVerificationMgmtPreview", "uv"},
)
"""Options that are false where the key could and does not yet; all others are false where it cannot."""


def capabilities_of(device: CtapDevice) -> frozenset[str]:
    """What getInfo and the transport say; of a key that speaks U2F alone, that."""
    words = {"WINK"} if device.capabilities & CAPABILITY.WINK else set()
    if not device.capabilities & CAPABILITY.CBOR:
        return frozenset(words | {"U2F_V2"})
    return frozenset(words | {"CTAP2"} | _of_info(Ctap2(device).info))


def _of_info(info: Info) -> set[str]:
    options = {name for name, value in info.options.items() if value or name in NOT_SET_UP_YET}
    protocols = {f"pinUvAuthProtocol{number}" for number in info.pin_uv_protocols or ()}
    pin = {"PIN"} if info.options.get("clientPin") else set()
    return {*info.versions, *info.extensions, *options, *protocols, *pin}
