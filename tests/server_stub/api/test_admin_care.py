from contextlib import closing

import pytest
from sqlalchemy import text

from server_stub.limits import Schedule
from server_stub.settings import Settings, database_of
from server_stub.store.database import Database
from server_stub.store.iam import metadata
from tests.server_stub.world import Browser, Device, Person, World, code_of, off_by_one, own_world


def locks(world: World, person: Person) -> list[dict[str, object]]:
    """What the IAM counts against someone."""
    response = world.admin.get(f"/admin/rest/users/{person.name}/locks")
    assert response.status_code == 200, response.text
    return list(response.json()["data"]["attributes"]["wrongAttempts"])


def five_wrong_codes(browser: Browser, device: Device) -> None:
    """Enough to lock in both places."""
    for _ in range(5):
        browser.otp(off_by_one(device.code(browser.qr())))


def test_the_two_lockouts_are_unlocked_apart(world: World) -> None:
    """An unlock in the IAM leaves the cloud's lock, and the other way round; both together help at once."""
    browser, person, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    five_wrong_codes(browser, device)
    assert [(each["method"], each["failures"], each["locked"]) for each in locks(world, person)] == [
        ("AIRLOCK_2FA", 5, True)
    ]
    assert code_of(browser.otp(code)) == "USER_TEMPORARILY_LOCKED"
    assert world.admin.post(f"/admin/rest/users/{person.name}/unlock").status_code == 200
    assert locks(world, person) == []
    refused = browser.post("/airlock-2fa/offline-qr-code/retrieve/")
    assert code_of(refused) == "USER_TEMPORARILY_LOCKED"
    unlock = f"/admin/rest/users/{person.name}/qr-tokens/{device.id}/unlock"
    assert world.admin.post(unlock).json()["data"]["attributes"] == {"serial": device.serial}
    assert browser.otp(device.code(browser.qr())).status_code == 200


def test_the_lockout_of_the_iam_counts_over_all_tokens_of_a_user(world: World) -> None:
    """Three wrong codes of one token and two of another: no token is locked in the cloud, the user is in the IAM."""
    person, browser = world.person(), world.browser()
    devices = [world.device(person), world.device(person)]
    browser.access("ebanking")
    browser.password(person.name)
    for device, times in zip(devices, (3, 2), strict=True):
        for _ in range(times):
            browser.post(f"/airlock-2fa/devices/{device.id}/select/")
            browser.otp(off_by_one(device.code(browser.qr())))
    assert code_of(browser.post("/airlock-2fa/offline-qr-code/retrieve/")) == "USER_TEMPORARILY_LOCKED"
    world.admin.post(f"/admin/rest/users/{person.name}/unlock")
    assert browser.otp(devices[1].code(browser.qr())).status_code == 200


def test_each_lockout_has_its_own_schedule(settings: Settings) -> None:
    """Here the cloud locks after two wrong codes, and the IAM has not even begun."""
    with own_world(settings, cloud_lockout=Schedule(2, 30.0, 4)) as world:
        browser, person, device = world.at_the_qr_code()
        code = device.code(browser.qr())
        assert [code_of(browser.otp(off_by_one(code))) for _ in range(2)] == ["OTP_WRONG"] * 2
        assert code_of(browser.otp(code)) == "USER_TEMPORARILY_LOCKED"
        assert [each["locked"] for each in locks(world, person)] == [False]


def test_a_locked_password_is_unlocked_without_a_new_one(world: World) -> None:
    """Ten wrong ones lock for good; the administrator forgives them."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    for _ in range(10):
        browser.password(person.name, "wrong")
        world.clock.advance(3600)
        browser.access("self-service")
    assert code_of(browser.password(person.name)) == "USER_LOCKED"
    assert locks(world, person) == [{"method": "PASSWORD", "failures": 10, "locked": True, "lockedUntil": None}]
    world.admin.post(f"/admin/rest/users/{person.name}/unlock")
    assert browser.password(person.name).status_code == 200


def test_a_token_is_unlocked_for_its_own_user_only(world: World) -> None:
    """And an unknown user or token is said to be unknown."""
    person, other = world.person(), world.person()
    device = world.device(person)
    response = world.admin.post(f"/admin/rest/users/{other.name}/qr-tokens/{device.id}/unlock")
    assert (response.status_code, code_of(response)) == (404, "TOKEN_UNKNOWN")
    assert code_of(world.admin.post("/admin/rest/users/nobody-at-all/unlock")) == "USER_NOT_FOUND"


def test_expired_rows_are_swept_and_others_stay(world: World) -> None:
    """An unfinished login, an unfinished approval; a live session and its user are untouched."""
    person, done, begun = world.person(), world.browser(), world.browser()
    begun.access("self-service")
    world.internal().post("/transaction-approval/rest/transaction-approval/flows/payment/select")
    world.clock.advance(601)
    done.access("self-service")
    done.password(person.name)
    swept = world.admin.post("/admin/rest/sweep").json()["data"]["attributes"]
    assert swept["sessions"] >= 1
    assert swept["approvals"] >= 1
    assert done.session().status_code == 200
    assert world.admin.post("/admin/rest/sweep").json()["data"]["attributes"]["sessions"] == 0


def test_the_audit_log_verifies_and_tells_its_last_hash(world: World) -> None:
    """Who keeps that hash notices when the last rows are cut off."""
    world.person()
    verdict = world.admin.get("/admin/rest/audit/verify").json()["data"]["attributes"]
    rows = world.audit()
    assert (verdict["intact"], verdict["firstBrokenRow"]) == (True, None)
    assert (verdict["rows"], verdict["lastHash"]) == (rows[-1]["sequence"], rows[-1]["hash"])


def test_a_changed_row_breaks_the_audit_log_where_it_was_changed(settings: Settings) -> None:
    """Even when someone who owns the database removes the trigger that forbids it."""
    with own_world(settings) as world:
        for _ in range(3):
            world.person()
    trigger = "audit_append_only ON audit" if settings.database_url else "audit_no_update"
    with closing(Database(database_of(settings, "iam"), metadata)) as database:
        for statement in (f"DROP TRIGGER {trigger}", "UPDATE audit SET outcome = 'never' WHERE sequence = 2"):
            database.run_now(lambda connection, words: connection.execute(text(words)), statement)
    with own_world(settings) as world:
        verdict = world.admin.get("/admin/rest/audit/verify").json()["data"]["attributes"]
    assert (verdict["intact"], verdict["firstBrokenRow"]) == (False, 2)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("users", ("GET", "/users/{name}/locks"), ("GET", "/audit")),
        ("audit", ("GET", "/audit"), ("POST", "/users/{name}/badges")),
        ("badges", ("POST", "/users/{name}/badges"), ("GET", "/users/{name}")),
        ("policies", None, ("GET", "/audit/verify")),
    ],
)
def test_each_role_does_its_own_and_no_other(
    world: World, role: str, may: tuple[str, str] | None, may_not: tuple[str, str]
) -> None:
    """Who prints badges reads no audit log."""
    person = world.person()
    token = {"Authorization": f"Bearer {world.server.role_tokens[role]}"}
    for case, refused in ((may, False), (may_not, True)):
        if case is None:
            continue
        method, path = case
        url = "/admin/rest" + path.format(name=person.name)
        body = {"kind": "insecure"} if method == "POST" else None
        response = world.admin.request(method, url, json=body, headers=token)
        assert (response.status_code == 403) == refused
        if refused:
            assert code_of(response) == "ROLE_REQUIRED"
