"""What the next page has to tell: why a form was refused. It travels in a cookie for a minute.

The refusal of a form is told by the page that it leads to, never by the answer to the form: the back button would
otherwise lead to an answer that browsers can only show by sending the form again.
"""

import base64
from typing import Annotated

import msgspec
from msgspec import Meta

from server_stub.api.routing import Cookie
from server_stub.errors import ApiError

COOKIE = "authrig_told"
LIFETIME = 60
MOST_DETAIL = 300
YEAR_3000 = 32503680000
"""Whoever can set a cookie can write one of these: what no page could tell is none of ours."""
SEEN_BY_SCRIPT = ("AIRLOCK_2FA_TIMEOUT", "AIRLOCK_2FA_DENIED")
"""Refusals that a page's script got from the REST, and names in the address of the page that it goes to."""


class Told(msgspec.Struct, frozen=True):
    """``code`` is a refusal's; ``until`` the end of a lock, in seconds since 1970; ``username`` what had been typed; ``detail`` the REST's own sentence, for administrators."""

    code: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9_]{0,63}$")]
    until: Annotated[float, Meta(ge=0, lt=YEAR_3000)] | None = None
    username: Annotated[str, Meta(max_length=64)] = ""
    detail: Annotated[str, Meta(max_length=MOST_DETAIL)] = ""

    @property
    def error(self) -> ApiError:
        """The refusal."""
        return ApiError(400, self.code, self.detail, self.until)


def cookie(told: Told | None, *, secure: bool) -> Cookie:
    """The cookie that carries it; None removes the cookie."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(told)).decode() if told else ""
    return Cookie(COOKIE, value, "/", secure, LIFETIME)


def read(value: str, seen_by_script: str = "") -> Told | None:
    """What a cookie carries, or an address names; nothing if it is none of ours."""
    if seen_by_script in SEEN_BY_SCRIPT:
        return Told(seen_by_script)
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value), type=Told)
    except ValueError:  # not base64, not JSON, or not as expected: msgspec's errors are ValueErrors
        return None
