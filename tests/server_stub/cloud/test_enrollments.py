import concurrent.futures
from typing import Any

import httpx
import pytest

from offline_qr.otq1 import compute_code, decode, derive_keys
from tests.server_stub.world import NO_TLS, Person, World, next_of


def codes(world: World, person: Person, **how: Any) -> dict[str, Any]:
    """What the administrator hands out."""
    response = world.admin.post(f"/admin/rest/users/{person.name}/app-enrollments", json=how)
    assert response.status_code == 201, response.text
    data = response.json()["data"]
    return {"id": data["id"], **data["attributes"]}


def show(world: World, code: str, serial: str) -> httpx.Response:
    """What the app sends to the cloud."""
    body = {"activation_code": code, "serial": serial, "display_name": "Phone"}
    return httpx.post(f"{world.server.cloud_url}/srv/app/v1/enroll", json=body, verify=NO_TLS)


def status(world: World, enrollment: str) -> str:
    """What the administrator sees."""
    response = world.admin.get(f"/admin/rest/app-enrollments/{enrollment}")
    return str(response.json()["data"]["attributes"]["status"])


@pytest.mark.parametrize("way", ["qr", "digits"])
def test_an_app_is_enrolled_by_qr_or_by_sixteen_digits_and_logs_in(world: World, way: str) -> None:
    """The seed is told to the app alone, and only now."""
    person, serial = world.person(), f"APP-{way}"
    made = codes(world, person, shortCode=True)
    assert made["image"].startswith("data:image/png")
    assert len(made["shortCode"]) == 16
    assert status(world, made["id"]) == "pending"
    code = made["shortCode"] if way == "digits" else made["content"].rpartition("/")[2]
    given = show(world, code, serial)
    assert given.status_code == 201, given.text
    assert status(world, made["id"]) == "success"
    keys = derive_keys(serial, bytes.fromhex(given.json()["seed_hex"]))
    browser = world.browser()
    browser.access("ebanking")
    assert next_of(browser.password(person.name)) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert browser.otp(compute_code(decode(browser.qr(), keys, serial), keys)).status_code == 200


def test_a_code_is_good_once_and_for_its_time_and_until_the_next(world: World) -> None:
    """Each of them is refused in the same words."""
    person = world.person()
    replaced = codes(world, person)["content"].rpartition("/")[2]
    used = codes(world, person)["content"].rpartition("/")[2]
    assert show(world, used, "APP-ONCE").status_code == 201
    late = codes(world, person, validSeconds=60)
    without_digits = codes(world, world.person())
    world.clock.advance(61)
    assert without_digits["shortCode"] is None
    assert status(world, late["id"]) == "expired"
    refusals = {
        show(world, code, "APP-TWICE").text for code in (replaced, used, late["content"].rpartition("/")[2], "0" * 16)
    }
    assert len(refusals) == 1
    assert "ACTIVATION_CODE_WRONG" in refusals.pop()


def test_of_16_apps_that_show_one_code_at_once_one_is_enrolled(world: World) -> None:
    """Whoever looked over the shoulder is too late."""
    person = world.person()
    code = codes(world, person)["content"].rpartition("/")[2]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda number: show(world, code, f"RACE-{number}").status_code, range(16)))
    assert sorted(statuses) == [201] + [403] * 15


def test_a_serial_that_is_known_spends_no_code(world: World) -> None:
    """The whole step is undone, so the app can try again."""
    person = world.person()
    device = world.device(person)
    code = codes(world, person)["content"].rpartition("/")[2]
    assert show(world, code, device.serial).status_code == 409
    assert show(world, code, "APP-AGAIN").status_code == 201
