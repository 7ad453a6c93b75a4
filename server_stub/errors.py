"""What goes wrong, in two kinds: the server cannot start, or one request is refused."""


class ServerError(Exception):
    """The server cannot start or stop as asked; the message is one sentence for the person at the keyboard."""


class ApiError(Exception):
    """One request is refused.

    Args:
        status: the HTTP status.
        code: the error's name in the protocol, such as ``OTP_WRONG``; scripts decide by this.
        detail: a sentence for people; it never holds a secret and never says whether a user exists.
        lock_expiry: when a temporary lock ends (seconds since 1970), if that is why.
    """

    def __init__(self, status: int, code: str, detail: str, lock_expiry: float | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.lock_expiry = lock_expiry


def bad_request(detail: str) -> ApiError:
    """The request cannot be understood; nothing was looked at and nothing counts against anyone."""
    return ApiError(400, "BAD_REQUEST", detail)


def unexpected_call(detail: str) -> ApiError:
    """The call is not the next step of its session."""
    return ApiError(400, "UNEXPECTED_CALL", detail)
