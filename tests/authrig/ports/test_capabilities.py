from collections.abc import Iterator

import pytest
from fido2.ctap import CtapError

from authrig.bench.bench import Bench
from authrig.hil.wants import emulated_capabilities
from authrig.ports.key import Key
from authrig.rig_file.entries import EmulatedFido, Fido, RigFile
from emulators.env import SeededRandom
from emulators.fido_authenticator.profile import names


@pytest.fixture
def key(request: pytest.FixtureRequest) -> Iterator[Key]:
    """A key of the profile that the test names."""
    fido = Fido(emulated=EmulatedFido(profile=request.param))
    with Bench(RigFile(version=1, devices={"key": fido}), SeededRandom(7), lambda _: None) as bench:
        yield bench.key("key")


@pytest.mark.parametrize("key", names(), indirect=True)
def test_every_product_says_what_it_can(key: Key) -> None:
    """One that speaks U2F alone too; something of the sort that tests ask for."""
    words = key.capabilities()
    assert {"CTAPHID", "power", "shared"} <= words
    assert words & {"U2F_V2", "FIDO_2_0"}
    assert ("CTAP2" in words) == bool(words & {"FIDO_2_0", "FIDO_2_1", "FIDO_2_3"})
    assert not words & {"plat"}


@pytest.mark.parametrize(
    ("profile", "can", "cannot"),
    [
        (
            "authrig-2.3",
            {"PIN", "clientPin", "alwaysUv", "ep", "pinUvAuthProtocol1", "pinUvAuthProtocol2"},
            {"bioEnroll"},
        ),
        ("authrig-bio", {"bioEnroll", "uv", "PIN"}, {"previewSign"}),
        ("minimal-2.0", {"CTAP2"}, {"PIN", "clientPin", "rk", "U2F_V2", "WINK", "pinUvAuthProtocol1"}),
        ("u2f-only", {"U2F_V2", "WINK"}, {"CTAP2", "rk"}),
    ],
)
def test_options_that_are_false_are_told_apart(profile: str, can: set[str], cannot: set[str]) -> None:
    """Not set up yet is something that the key can; not there is not. A key without a PIN is made without one."""
    words = emulated_capabilities(EmulatedFido(profile=profile))
    assert can <= words
    assert not cannot & words


@pytest.mark.parametrize("key", ["authrig-2.3"], indirect=True)
def test_a_host_may_write_reports_itself(key: Key) -> None:
    """What comes back is on record with the rest."""
    connection = key.open_connection()
    connection.write_packet(b"\xff\xff\xff\xff\x86\x00\x08authrig!".ljust(64, b"\0"))
    assert connection.read_packet()[7:15] == b"authrig!"
    connection.close()
    assert any("INIT" in line for line in key.exhibit_traffic())


@pytest.mark.parametrize("key", ["u2f-only"], indirect=True)
def test_a_key_that_speaks_u2f_alone_has_no_getinfo(key: Key) -> None:
    """And is served all the same."""
    with key.open() as device, pytest.raises(CtapError, match="INVALID_COMMAND"):
        device.call(0x10, b"\x04")
