"""Administration of the cloud's stock of tokens: import from a maker's file, list, assign, share, unassign, suspend."""

import base64
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection

from server_stub.api.admin import known_user
from server_stub.api.admin_tokens import DeviceState, device_state
from server_stub.api.envelope import Document, Request, answer, list_answer
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.cloud.messages import ImportToken, NewState, StockToken
from server_stub.errors import bad_request
from server_stub.iam import Iam
from server_stub.store import users
from server_stub.store.iam import audit
from server_stub.token_files import TokenFileError, read_csv, read_pskc


class TokenFile(Request, frozen=True):
    """A maker's file: all of its tokens are imported, or none. ``content`` is base64 of it.

    PSKC may be encrypted under ``keyHex`` or ``password``.
    """

    format: Literal["csv", "pskc"]
    content: Annotated[str, Meta(min_length=1, max_length=8_000_000)]
    key_hex: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{2}){16,32}$(?!\n)")] | None = None
    password: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None


class StockAttributes(Document, frozen=True):
    """A token in the cloud; who reads this list never sees a seed."""

    serial: str
    display_name: str
    kind: str
    state: str
    users: tuple[str, ...]


class TokenState(Request, frozen=True):
    """``suspended`` tokens can do nothing until they are ``active`` again."""

    state: Literal["active", "suspended"]


async def import_tokens(iam: Iam, call: Call[TokenFile]) -> Reply:
    """Import a maker's file of tokens into the cloud's stock."""
    imported = await iam.cloud.import_tokens(_read(call.body))
    await iam.database.run(_audit, iam, "admin.token.import", None, tokens=len(imported))
    return Reply(list_answer(iam.now(), "token", await iam.database.run(_described, imported)), 201)


def _read(file: TokenFile) -> list[ImportToken]:
    try:
        data = base64.b64decode(file.content, validate=True)
    except ValueError as error:
        raise bad_request("the content is not base64 of a file") from error
    try:
        if file.format == "csv":
            return read_csv(data.decode("utf-8-sig"))
        key = bytes.fromhex(file.key_hex) if file.key_hex else None
        return read_pskc(data, key=key, password=file.password)
    except UnicodeDecodeError as error:
        raise bad_request("the file is not UTF-8") from error
    except TokenFileError as error:
        raise bad_request(f"the file cannot be imported: {error}") from error


async def list_tokens(iam: Iam, _: Call[Nothing]) -> Reply:
    """List all tokens that the cloud knows, and who has them."""
    return Reply(list_answer(iam.now(), "token", await iam.database.run(_described, await iam.cloud.stock())))


def _described(connection: Connection, tokens: list[StockToken]) -> list[tuple[str, StockAttributes]]:
    names = users.names(connection)
    return [
        (
            each.device_id,
            StockAttributes(
                each.serial,
                each.display_name,
                each.kind,
                each.state,
                tuple(names.get(user, user) for user in each.user_ids),
            ),
        )
        for each in tokens
    ]


async def assign_token(iam: Iam, call: Call[Nothing]) -> Reply:
    """Assign a token from stock to a user; one that others have too where sharing is allowed."""
    user = await iam.database.run(known_user, call.path["username"])
    device = await iam.cloud.assign_token(call.path["device"], user.id)
    await iam.database.run(_audit, iam, "admin.token.assign", user.id, token=device.device_id)
    return _reply(iam, device.device_id, device_state(device))


async def unassign_token(iam: Iam, call: Call[Nothing]) -> Reply:
    """Take a token from a user."""
    user = await iam.database.run(known_user, call.path["username"])
    device = await iam.cloud.unassign_token(call.path["device"], user.id)
    await iam.database.run(_audit, iam, "admin.token.unassign", user.id, token=device.device_id)
    return _reply(iam, device.device_id, device_state(device))


async def set_token_state(iam: Iam, call: Call[TokenState]) -> Reply:
    """Suspend a token, or let it work again."""
    device = await iam.cloud.set_token_state(call.path["device"], NewState(call.body.state))
    await iam.database.run(_audit, iam, f"admin.token.{call.body.state}", None, token=device.device_id)
    return _reply(iam, device.device_id, device_state(device))


def _reply(iam: Iam, device_id: str, state: DeviceState) -> Reply:
    return Reply(answer(iam.now(), "token", device_id, state))


def _audit(connection: Connection, /, iam: Iam, what: str, user: bytes | None, **detail: str | int) -> None:
    audit.append(connection, iam.now(), what, "done", user, **detail)
