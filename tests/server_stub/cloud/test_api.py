import httpx
import msgspec
import pytest

from server_stub.cloud.account import service_account
from server_stub.cloud.messages import Preauth
from server_stub.cloud.signing import Credentials, Signed, sign
from tests.server_stub.world import World

PREAUTH = "/srv/auth/v1/user/preauth"
BODY = msgspec.json.encode(Preauth("00" * 16))


def call(
    world: World, credentials: Credentials, path: str = PREAUTH, body: bytes = BODY, skew: float = 0
) -> httpx.Response:
    """A signed call to the cloud."""
    url = world.server.cloud_url
    signed = Signed("POST", url.removeprefix("http://"), path, body)
    headers = sign(credentials, signed, world.clock.time() + skew) | {"Content-Type": "application/json"}
    return httpx.post(url + path, content=body, headers=headers)


def test_a_signed_call_is_answered(world: World) -> None:
    """For a user who has nothing."""
    account = service_account(world.server.settings)
    response = call(world, account.auth)
    assert response.json() == {"result": "unknown", "allowed_factors": [], "devices": []}
    assert call(world, account.auth, PREAUTH + "?trace=1").status_code == 200


def test_the_keys_of_the_two_apis_are_apart(world: World) -> None:
    """The authentication key does not administer, nor the other way round."""
    account = service_account(world.server.settings)
    import_path = "/srv/admin/v1/hardware-tokens"
    assert call(world, account.admin).status_code == 401
    assert call(world, account.auth, import_path, b"{}").status_code == 401
    assert call(world, account.admin, import_path, b"{}").json()["code"] == "BAD_REQUEST"


def test_an_old_or_unsigned_call_is_refused(world: World) -> None:
    """With the reason in a sentence."""
    account = service_account(world.server.settings)
    assert "FT-Date" in call(world, account.auth, skew=-301).json()["message"]
    response = httpx.post(world.server.cloud_url + PREAUTH, content=BODY)
    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"user_id": "x"}', b'{"user_id": "%s"}' % (b"0" * 33), b"\xff"])
def test_a_signed_call_that_makes_no_sense_is_a_bad_request(world: World, body: bytes) -> None:
    """Signed nonsense is still nonsense."""
    response = call(world, service_account(world.server.settings).auth, body=body)
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST")
