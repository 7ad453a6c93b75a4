"""The demo shop: an invoice is paid by a code or a key, or not."""

import json
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from offline_qr.otq1 import Tag
from server_stub.settings import Settings
from tests.server_stub.soft_key import SoftKey
from tests.server_stub.web.browsing import Reader, Visitor
from tests.server_stub.web.test_second_steps import at_the_qr_code, qr_of
from tests.server_stub.web.test_self_service import register
from tests.server_stub.world import PASSWORD, Device, World, off_by_one, own_world


def shopping(world: World) -> tuple[Visitor, Device]:
    """Someone with a token who is logged in and looks at the invoices."""
    visitor, _, device = at_the_qr_code(world)
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    visitor.open("/shop/")
    return visitor, device


def test_an_invoice_is_paid_with_the_code_of_the_token(world: World) -> None:
    """What the token shows is what the page shows, and what was asked for."""
    visitor, device = shopping(world)
    visitor.send("/2026-002/pay")
    assert "CHF 1'250.00" in visitor.page.text
    shown = {field.tag: field.value for field in device.read(qr_of(visitor)).fields}
    assert shown[Tag.AMOUNT] == "CHF 1'250.00"
    assert shown[Tag.TO_ACCOUNT] in visitor.page.text
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert "Invoice 2026-002 is paid." in visitor.page.text
    assert not any(form.action == "/shop/2026-002/pay" for form in visitor.page.forms)


def test_a_wrong_code_pays_nothing(world: World) -> None:
    """The same picture stays for the next try."""
    visitor, device = shopping(world)
    visitor.send("/2026-001/pay")
    first = qr_of(visitor)
    visitor.send("/code", otp=off_by_one(device.code(first)))
    assert "not the right code" in visitor.error
    assert qr_of(visitor) == first
    visitor.open("/shop/")
    assert "Paid" not in visitor.page.text


def test_a_login_code_is_no_payment(world: World) -> None:
    """A token computes another code for each."""
    visitor, _, device = at_the_qr_code(world)
    login = device.code(qr_of(visitor))
    visitor.send("/code", otp=login)
    visitor.open("/shop/")
    visitor.send("/2026-001/pay")
    visitor.send("/code", otp=login)
    assert "not the right code" in visitor.error


def test_a_paid_invoice_is_not_paid_twice(world: World) -> None:
    """From an older page: it is on the list as paid."""
    visitor, device = shopping(world)
    form = next(each for each in visitor.page.forms if each.action == "/shop/2026-003/pay")
    visitor.post(form.action, form.fields)
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert "Invoice 2026-003 is paid." in visitor.page.text
    visitor.post(form.action, form.fields)
    assert visitor.path == "/shop/"
    assert not any(form.action == "/shop/2026-003/pay" for form in visitor.page.forms)


def test_who_has_several_devices_says_which_one_approves(world: World) -> None:
    """The payment is the same."""
    visitor, device = shopping(world)
    person = next(line for line in visitor.page.text.split() if line.startswith("user"))
    response = world.admin.post(
        f"/admin/rest/users/{person}/qr-tokens",
        json={"serial": f"{device.serial}X", "seedHex": "ab" * 32, "displayName": "other"},
    )
    assert response.status_code == 201, response.text
    visitor.send("/2026-001/pay")
    assert "Choose a device" in visitor.page.text
    visitor.send("/pay", device=device.id)
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert "Invoice 2026-001 is paid." in visitor.page.text


def test_an_approval_is_of_whoever_began_it(world: World) -> None:
    """Who logs in afterwards in the same browser neither sees nor answers it."""
    visitor, device = shopping(world)
    visitor.send("/2026-001/pay")
    code = device.code(qr_of(visitor))
    visitor.log_in("classroom", world.person().name)
    visitor.open("/shop/approval")
    assert visitor.path == "/shop/"
    state = next(each.fields["state"] for each in visitor.page.forms if "state" in each.fields)
    visitor.post("/shop/approval/code", {"state": state, "otp": code})
    assert "is paid" not in visitor.page.text
    visitor.open("/shop/")
    assert "Paid" not in visitor.page.text


def test_the_shop_is_closed_to_who_is_not_logged_in(world: World) -> None:
    """It says where to log in."""
    visitor = Visitor(world)
    assert visitor.open("/shop/").status_code == 401
    assert ("a", {"href": "/login/ebanking"}) in visitor.page.elements


def test_an_unknown_invoice_is_refused(world: World) -> None:
    """On the list of invoices."""
    visitor, _ = shopping(world)
    state = next(each.fields["state"] for each in visitor.page.forms if "state" in each.fields)
    visitor.post("/shop/9999/pay", {"state": state})
    assert visitor.error
    assert "Velo" in visitor.page.text


def with_key(world: World, *, token: bool = False) -> tuple[Visitor, SoftKey]:
    """Someone at the invoices who has a key, and perhaps a token."""
    person, visitor = world.person(), Visitor(world)
    if token:
        world.device(person)
    visitor.log_in("self-service", person.name)
    key = register(world, visitor)
    visitor.open("/shop/")
    return visitor, key


def options(visitor: Visitor) -> dict[str, Any]:
    """What the page asks a key for."""
    [form] = [given for tag, given in visitor.page.elements if tag == "form" and given.get("data-key") == "approve"]
    return dict(json.loads(form["data-options"]))


def test_an_invoice_is_paid_with_a_key(world: World) -> None:
    """The page says what is paid; its script sends what the key answers."""
    visitor, key = with_key(world)
    visitor.send("/2026-002/pay")
    assert "CHF 1'250.00" in visitor.page.text
    assert "Atelier Rossi" in visitor.page.text
    visitor.send("/approval/key", credential=json.dumps(key.get(options(visitor))))
    assert "Invoice 2026-002 is paid." in visitor.page.text


def test_the_answer_for_one_invoice_pays_no_other(world: World) -> None:
    """The challenge is of the invoice that was on the page."""
    visitor, key = with_key(world)
    visitor.send("/2026-001/pay")
    answer = json.dumps(key.get(options(visitor)))
    visitor.open("/shop/")
    visitor.send("/2026-002/pay")
    visitor.send("/approval/key", credential=answer)
    assert "not accepted" in visitor.error
    visitor.open("/shop/")
    assert "Paid" not in visitor.page.text


@pytest.mark.parametrize("credential", ["", "{", "[]", "{}", '{"id": 1}', "null"])
def test_what_is_no_answer_of_a_key_pays_nothing(world: World, credential: str) -> None:
    """The page says so, and asks again."""
    visitor, key = with_key(world)
    visitor.send("/2026-001/pay")
    visitor.send("/approval/key", credential=credential)
    assert visitor.error
    assert visitor.path == "/shop/approval"
    visitor.send("/approval/key", credential=json.dumps(key.get(options(visitor))))
    assert "Invoice 2026-001 is paid." in visitor.page.text


def test_who_has_a_token_and_a_key_chooses_and_may_change(world: World) -> None:
    """From the code to the key, back, and to the key again."""
    visitor, key = with_key(world, token=True)
    visitor.send("/2026-003/pay")
    assert qr_of(visitor)
    form = next(each for each in visitor.page.forms if each.fields.get("device") == "FIDO")
    visitor.post(form.action, form.fields)
    back = next(each for each in visitor.page.forms if each.fields.get("device") == "AIRLOCK_2FA")
    visitor.post(back.action, back.fields)
    assert qr_of(visitor)
    visitor.post(form.action, form.fields)
    visitor.send("/approval/key", credential=json.dumps(key.get(options(visitor))))
    assert "Invoice 2026-003 is paid." in visitor.page.text


def test_the_key_of_somebody_else_pays_nothing(world: World) -> None:
    """However good its signature is."""
    visitor, _ = with_key(world)
    _, other = with_key(world)
    visitor.send("/2026-001/pay")
    visitor.send("/approval/key", credential=json.dumps(other.get(options(visitor))))
    assert "not accepted" in visitor.error


def test_without_a_key_nobody_is_offered_one(world: World) -> None:
    """Nor without a token a code."""
    visitor, _ = shopping(world)
    visitor.send("/2026-001/pay")
    assert not [form for form in visitor.page.forms if form.fields.get("device") == "FIDO"]
    visitor, _ = with_key(world)
    visitor.send("/2026-001/pay")
    assert not [form for form in visitor.page.forms if form.fields.get("device") == "AIRLOCK_2FA"]


def test_behind_https_the_approval_is_kept_for_https_too(settings: Settings) -> None:
    """Its cookie is one of the internal REST, where no HTTPS is; here it is the key to a payment."""
    with own_world(settings, behind_https=True) as world:
        person, client = world.person(), Visitor(world).client
        world.device(person)
        host = urlsplit(world.server.public_url).netloc
        client.headers.update({"Origin": f"https://{host}", "X-Same-Domain": "1"})

        def kept(response: httpx.Response) -> dict[str, str]:
            """What a browser would send from now on: this one does, although the proxy with the HTTPS is not there."""
            cookies = SimpleCookie(
                "; ".join(each.partition(";")[0] for each in response.headers.get_list("set-cookie"))
            )
            return {"Cookie": "; ".join(f"{name}={each.value}" for name, each in cookies.items())}

        rest = "/auth/rest/public/authentication"
        client.headers.update(kept(client.post(f"{rest}/applications/self-service/access", json={})))
        body = {"username": person.name, "password": PASSWORD}
        client.headers.update(kept(client.post(f"{rest}/password/check", json=body)))
        [form] = [each for each in Reader(client.get("/shop/").text).forms if each.action == "/shop/2026-001/pay"]
        paying = client.post(form.action, data=form.fields)
        assert paying.headers["location"] == "/shop/approval"
        [cookie] = [each for each in paying.headers.get_list("set-cookie") if each.startswith("authrig_approval=")]
        assert "; Secure" in cookie
