import base64
from typing import Any

import httpx
import pytest

from offline_qr import pskc
from server_stub.settings import Settings
from server_stub.token_files import OTQ1
from tests.server_stub.world import SEED, Device, World, code_of, next_of, own_world


def upload(world: World, data: bytes, form: str = "csv", **more: str) -> httpx.Response:
    """Hand in a maker's file."""
    body = {"format": form, "content": base64.b64encode(data).decode(), **more}
    return world.admin.post("/admin/rest/tokens/import", json=body)


def csv(*serials: str) -> bytes:
    """A file of QR tokens."""
    rows = [f"{serial},qr,{SEED.hex()}" for serial in serials]
    return "\n".join(["serial,kind,seed_hex", *rows]).encode()


def stock(world: World) -> dict[str, dict[str, Any]]:
    """What the cloud knows, by serial."""
    return {row["attributes"]["serial"]: row for row in world.admin.get("/admin/rest/tokens").json()["data"]}


def test_a_makers_file_is_imported_and_a_token_of_it_assigned(world: World) -> None:
    """From the file to a login; nobody sees a seed again."""
    person, browser = world.person(), world.browser()
    made = upload(world, csv("MAKER-1", "MAKER-2"))
    assert (made.status_code, [row["attributes"]["serial"] for row in made.json()["data"]]) == (
        201,
        ["MAKER-1", "MAKER-2"],
    )
    device = Device(stock(world)["MAKER-1"]["id"], "MAKER-1")
    assert world.admin.put(f"/admin/rest/users/{person.name}/tokens/{device.id}").status_code == 200
    assert stock(world)["MAKER-1"]["attributes"]["users"] == [person.name]
    assert stock(world)["MAKER-2"]["attributes"]["users"] == []
    assert SEED.hex() not in world.admin.get("/admin/rest/tokens").text
    browser.access("ebanking")
    browser.password(person.name)
    assert browser.otp(device.code(browser.qr())).status_code == 200


def test_an_encrypted_file_needs_its_key(world: World) -> None:
    """PSKC as makers send it."""
    key = bytes(range(16))
    data = pskc.write([pskc.PskcKey("1", SEED, OTQ1, serial="PSKC-1")], key=key, draw=bytes)
    assert code_of(upload(world, data, "pskc")) == "BAD_REQUEST"
    assert code_of(upload(world, data, "pskc", keyHex=bytes(16).hex())) == "BAD_REQUEST"
    assert upload(world, data, "pskc", keyHex=key.hex()).status_code == 201


def test_of_a_file_all_tokens_are_imported_or_none(world: World) -> None:
    """One serial that is known already, and a line that is wrong."""
    upload(world, csv("ALL-1"))
    assert code_of(upload(world, csv("ALL-2", "ALL-1"))) == "TOKEN_EXISTS"
    refused = upload(world, csv("ALL-3", ""))
    assert "line 3" in refused.json()["errors"][0]["detail"]
    assert {"ALL-1", "ALL-2", "ALL-3"} & stock(world).keys() == {"ALL-1"}


def test_a_long_file_is_no_oversized_body(world: World) -> None:
    """Two thousand tokens; other bodies stay short."""
    assert upload(world, csv(*(f"LONG-{number}" for number in range(2000)))).status_code == 201
    assert world.browser().post("/password/check/", {"password": "x" * 100_000}).status_code == 413


@pytest.mark.parametrize("content", ["*", base64.b64encode(b"\xff\xfe\xff").decode()])
def test_what_is_no_file_is_a_bad_request(world: World, content: str) -> None:
    """Not base64, not UTF-8."""
    response = world.admin.post("/admin/rest/tokens/import", json={"format": "csv", "content": content})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


def test_a_suspended_token_does_nothing_until_it_is_active_again(world: World) -> None:
    """Also for a challenge that was issued before."""
    browser, person, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    url = f"/admin/rest/tokens/{device.id}/state"
    assert world.admin.put(url, json={"state": "suspended"}).json()["data"]["attributes"]["state"] == "suspended"
    assert browser.otp(code).status_code == 400
    assert code_of(browser.post("/airlock-2fa/offline-qr-code/retrieve/")) == "DEVICE_UNKNOWN"
    other = world.browser()
    other.access("ebanking")
    assert next_of(other.password(person.name)) == "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
    world.admin.put(url, json={"state": "active"})
    assert browser.otp(device.code(browser.qr())).status_code == 200


def test_a_token_that_is_taken_away_opens_nothing_and_can_be_given_to_another(world: World) -> None:
    """The challenge that was open is closed."""
    browser, person, device = world.at_the_qr_code()
    successor = world.person()
    code = device.code(browser.qr())
    theirs = f"/admin/rest/users/{successor.name}/tokens/{device.id}"
    assert code_of(world.admin.put(theirs)) == "TOKEN_ASSIGNED"
    assert world.admin.delete(f"/admin/rest/users/{person.name}/tokens/{device.id}").status_code == 200
    assert browser.otp(code).status_code == 400
    assert code_of(world.admin.delete(f"/admin/rest/users/{person.name}/tokens/{device.id}")) == "TOKEN_UNKNOWN"
    assert world.admin.put(theirs).status_code == 200
    assert stock(world)[device.serial]["attributes"]["users"] == [successor.name]


def test_a_token_is_shared_where_that_is_allowed(settings: Settings) -> None:
    """Both log in with it; a code is for its own challenge; taken from the first it stays with the second."""
    with own_world(settings, share_tokens=True) as world:
        browser, person, device = world.at_the_qr_code()
        spouse, other = world.person(), world.browser()
        assert world.admin.put(f"/admin/rest/users/{spouse.name}/tokens/{device.id}").status_code == 200
        assert stock(world)[device.serial]["attributes"]["users"] == [person.name, spouse.name]
        other.access("ebanking")
        assert next_of(other.password(spouse.name)) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
        mine, theirs = device.code(browser.qr()), device.code(other.qr())
        assert code_of(other.otp(mine)) == "OTP_WRONG"
        assert [browser.otp(mine).status_code, other.otp(theirs).status_code] == [200, 200]
        world.admin.delete(f"/admin/rest/users/{person.name}/tokens/{device.id}")
        assert stock(world)[device.serial]["attributes"]["users"] == [spouse.name]
        again = world.browser()
        again.access("ebanking")
        again.password(spouse.name)
        assert again.otp(device.code(again.qr())).status_code == 200
