"""What the browser keeps for the server is the server's: cookies of somebody's own making are nothing."""

import pytest

from tests.server_stub.web.browsing import Visitor
from tests.server_stub.web.test_second_steps import at_the_qr_code, qr_of
from tests.server_stub.world import World


@pytest.mark.parametrize("value", ["", "e30", "!!", "A" * 200, "é".encode().hex()])
def test_a_made_up_cookie_leads_to_a_new_code(world: World, value: str) -> None:
    """Nothing that it holds is shown."""
    visitor, _, device = at_the_qr_code(world)
    first = qr_of(visitor)
    visitor.client.cookies.delete("authrig_shown")
    visitor.client.cookies.set("authrig_shown", value)
    visitor.open("/login/ebanking")
    assert qr_of(visitor) != first
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/ebanking/"


def test_the_qr_code_of_somebody_else_is_not_shown(world: World) -> None:
    """A cookie is good for its challenge only, so nobody can be made to scan another's."""
    victim, _, _ = at_the_qr_code(world)
    attacker, _, _ = at_the_qr_code(world)
    planted = attacker.client.cookies["authrig_shown"]
    victim.client.cookies.delete("authrig_shown")
    victim.client.cookies.set("authrig_shown", planted)
    victim.open("/login/ebanking")
    assert qr_of(victim) != qr_of(attacker)


def test_the_till_of_somebody_else_pays_nothing(world: World) -> None:
    """It is bound to who has paid."""
    payer, _, device = at_the_qr_code(world)
    payer.send("/code", otp=device.code(qr_of(payer)))
    payer.open("/shop/")
    payer.send("/2026-001/pay")
    payer.send("/code", otp=device.code(qr_of(payer)))
    other = Visitor(world)
    other.log_in("classroom", world.person().name)
    other.client.cookies.set("authrig_till", payer.client.cookies["authrig_till"])
    other.open("/shop/")
    assert any(form.action == "/shop/2026-001/pay" for form in other.page.forms)
