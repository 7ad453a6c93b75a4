import httpx
import pytest

from server_stub.settings import Settings
from tests.server_stub.api.test_authentication import badge, hold_up
from tests.server_stub.world import PASSWORD, Browser, Person, World, code_of, own_world


def at_school(world: World) -> Browser:
    """In front of a scanner."""
    browser = world.browser()
    browser.access("classroom")
    return browser


def issued(world: World, person: Person) -> list[dict[str, object]]:
    """The badges that someone was given."""
    rows = world.admin.get(f"/admin/rest/users/{person.name}/badges").json()["data"]
    return [{"id": row["id"], **row["attributes"]} for row in rows]


def outcomes(world: World, person: Person) -> list[str]:
    """What became of each scan of someone's badges."""
    return [row["outcome"] for row in world.audit() if row["event"] == "badge.scan" and row["user"] == person.id]


@pytest.mark.parametrize("kind", ["insecure", "secure"])
def test_a_lost_badge_is_void_and_the_others_are_not(world: World, kind: str) -> None:
    """Also an insecure one, which nothing else would ever end."""
    person = world.person()
    lost, kept = badge(world, person, kind), badge(world, person, kind)
    ids = [each["id"] for each in issued(world, person)]
    void = world.admin.delete(f"/admin/rest/users/{person.name}/badges/{ids[0]}")
    assert void.json()["data"]["attributes"] == {"voided": 1}
    refused = hold_up(at_school(world), lost)
    assert (refused.status_code, code_of(refused)) == (400, "BADGE_WRONG")
    assert hold_up(at_school(world), kept).status_code == 200
    assert outcomes(world, person) == ["the badge is void", "read"]
    assert [each["uses"] for each in issued(world, person)] == [0, 1]
    assert [each["id"] for each in user_badges(world, person)] == ids[1:]


def user_badges(world: World, person: Person) -> list[dict[str, str]]:
    """The good ones, as the user's own page has them."""
    return list(world.admin.get(f"/admin/rest/users/{person.name}").json()["data"]["attributes"]["badges"])


def test_all_badges_of_a_user_or_of_everybody_are_voided_at_once(settings: Settings) -> None:
    """The second time there is nothing left to void."""
    with own_world(settings) as world:
        people = [world.person() for _ in range(3)]
        texts = [badge(world, person, "secure") for person in people for _ in range(2)]
        url = f"/admin/rest/users/{people[0].name}/badges"
        assert world.admin.delete(url).json()["data"]["attributes"] == {"voided": 2}
        assert [hold_up(at_school(world), text).status_code for text in texts] == [400, 400, 200, 200, 200, 200]
        assert world.admin.post("/admin/rest/badges/void", json={}).status_code == 400
        for voided in (4, 0):
            response = world.admin.post("/admin/rest/badges/void", json={"of": "everybody"})
            assert response.json()["data"]["attributes"] == {"voided": voided}
        assert {hold_up(at_school(world), text).status_code for text in texts} == {400}
        assert hold_up(at_school(world), badge(world, people[1], "secure")).status_code == 200


def test_a_badge_expires(world: World) -> None:
    """To the day."""
    person = world.person()
    url = f"/admin/rest/users/{person.name}/badges"
    made = world.admin.post(url, json={"kind": "secure", "lifetimeDays": 30}).json()["data"]["attributes"]
    world.clock.advance(30 * 86400 - 60)
    assert hold_up(at_school(world), made["content"]).status_code == 200
    world.clock.advance(120)
    assert code_of(hold_up(at_school(world), made["content"])) == "BADGE_WRONG"
    assert outcomes(world, person) == ["read", "the badge has expired"]


def test_a_renamed_user_keeps_badges_token_and_password(world: World) -> None:
    """What is sealed in a badge is the permanent id; the old name is free again."""
    person = world.person()
    text, device = badge(world, person, "secure"), world.device(person)
    renamed = f"{person.name}-married"
    url = f"/admin/rest/users/{person.name}/username"
    assert code_of(world.admin.put(url, json={"username": world.person().name})) == "USER_EXISTS"
    assert world.admin.put(url, json={"username": renamed}).status_code == 200
    browser = at_school(world)
    assert hold_up(browser, text).status_code == 200
    assert browser.session().json()["data"]["attributes"]["username"] == renamed
    bank = world.browser()
    bank.access("ebanking")
    assert bank.password(renamed).status_code == 200
    assert bank.otp(device.code(bank.qr())).status_code == 200
    body = {"username": person.name, "password": PASSWORD}
    assert world.admin.post("/admin/rest/users", json=body).status_code == 201


def test_a_badge_of_somebody_else_cannot_be_voided_by_mistake(world: World) -> None:
    """Nor one that was never made."""
    person, other = world.person(), world.person()
    badge(world, person, "secure")
    [mine] = issued(world, person)
    responses: list[httpx.Response] = [
        world.admin.delete(f"/admin/rest/users/{other.name}/badges/{identifier}")
        for identifier in (mine["id"], "x", "00")
    ]
    assert [code_of(response) for response in responses] == ["BADGE_UNKNOWN"] * 3


def test_what_is_no_badge_is_audited_without_its_content(world: World) -> None:
    """People hold up all kinds of things."""
    hold_up(at_school(world), "https://example.org/private-link")
    rows = [row for row in world.audit() if row["event"] == "badge.scan" and row["outcome"] == "not a badge"]
    assert rows
    assert "example.org" not in str(rows)
