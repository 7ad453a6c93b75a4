from tests.server_stub.world import World, next_of, off_by_one


def test_a_password_and_the_tokens_code_open_the_bank(world: World) -> None:
    """The way that issue and demo are about."""
    browser, person, device = world.at_the_qr_code()
    content = browser.qr(place="Bern")
    assert browser.otp(off_by_one(device.code(content))).status_code == 400
    response = browser.otp(device.code(content))
    assert (response.status_code, next_of(response)) == (200, None)
    assert person.name
