import base64
from pathlib import Path

import pytest

from tests.vm.conftest import Plug, run, set_pin

CLIENT_DATA = base64.b64encode(bytes(32)).decode()


def test_the_key_is_listed(plug: Plug, kind: str) -> None:
    """`fido2-token -L` finds it by itself and says what it is."""
    key = plug()
    expected = f"{key.path}: vendor=0x1209, product=0x0001 ("
    if kind == "usbip":
        # libfido2 1.12 takes names from the USB device; a uhid device has none above it.
        expected += "Authrig Authrig test key)"
    listed = run("fido2-token", "-L").splitlines()
    assert len(listed) == 1
    assert listed[0].startswith(expected)


def test_it_says_what_it_can(plug: Plug) -> None:
    """Twice, as different programs would."""
    key = plug()
    for _ in range(2):
        assert "aaguid: 617574687269672d746573742d6b6579" in run("fido2-token", "-I", key.path)


@pytest.mark.parametrize("resident", [False, True])
def test_a_credential_is_made_and_used(plug: Plug, tmp_path: Path, *, resident: bool) -> None:
    """Register, verify the attestation, log in, verify the assertion; for a changed challenge it does not verify."""
    key = plug()
    rk = ["-r"] if resident else []
    user_id = base64.b64encode(b"ada").decode()
    made = run("fido2-cred", "-M", *rk, key.path, stdin=f"{CLIENT_DATA}\nexample.com\nada\n{user_id}\n")
    credential_id, public_key = run("fido2-cred", "-V", stdin=made).split("\n", 1)
    (tmp_path / "public.pem").write_text(public_key)
    known = [] if resident else [credential_id]
    asserted = run("fido2-assert", "-G", *rk, key.path, stdin="\n".join([CLIENT_DATA, "example.com", *known, ""]))
    assertion = asserted.splitlines()[:4]  # the verifier does not read the user id of a discoverable credential
    run("fido2-assert", "-V", tmp_path / "public.pem", "es256", stdin="\n".join([*assertion, ""]))
    assertion[0] = base64.b64encode(bytes([1]) * 32).decode()
    run("fido2-assert", "-V", tmp_path / "public.pem", "es256", stdin="\n".join([*assertion, ""]), code=1)


def test_a_key_without_the_credential_says_so(plug: Plug) -> None:
    """The wrong key is plugged in."""
    right, wrong = plug("right"), plug("wrong")
    user_id = base64.b64encode(b"ada").decode()
    made = run("fido2-cred", "-M", right.path, stdin=f"{CLIENT_DATA}\nexample.com\nada\n{user_id}\n")
    credential_id = run("fido2-cred", "-V", stdin=made).splitlines()[0]
    request = f"{CLIENT_DATA}\nexample.com\n{credential_id}\n"
    run("fido2-assert", "-G", wrong.path, stdin=request, code=1)
    run("fido2-assert", "-G", right.path, stdin=request)


def test_discoverable_credentials_live_behind_the_pin_until_a_reset(plug: Plug, tmp_path: Path) -> None:
    """Set a PIN, register with it, list what the key holds, refuse a wrong PIN, pull out, reset: it is all gone."""
    key = plug()
    set_pin(key.path, "2468")
    assert "noclientPin" not in run("fido2-token", "-I", key.path)
    request, user_id = tmp_path / "request", base64.b64encode(b"ada").decode()
    request.write_text(f"{CLIENT_DATA}\nexample.com\nada\n{user_id}\n")
    make = ("fido2-cred", "-M", "-r", "-v", "-i", request, key.path)
    run(*make, stdin="1357\n", code=1)
    run("fido2-cred", "-V", "-v", stdin=run(*make, stdin="2468\n"))
    assert "example.com" in run("fido2-token", "-L", "-r", key.path, stdin="2468\n")
    assert user_id in run("fido2-token", "-L", "-k", "example.com", key.path, stdin="2468\n")
    key.unplug()
    key.plug_in()
    run("fido2-token", "-R", key.path)
    assert "noclientPin" in run("fido2-token", "-I", key.path)
