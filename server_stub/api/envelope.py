"""The documents of the IAM's REST, in the shape of Airlock's (JSON:API-like): meta, then data or errors."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from server_stub.errors import ApiError

log = logging.getLogger(__name__)

Attributes = TypeVar("Attributes")


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """Everything in a document."""


class SecretDocument(Document, frozen=True):
    """One that is told only once: no text shows what it says."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Request(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A request's body: an unknown member is refused, so that nobody believes it had an effect.

    Many have a password, a code or a seed in them, so no text shows what they say.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class DocumentMeta(Document, frozen=True):
    """About the answer."""

    timestamp: str
    type: str = "jsonapi.metadata.document"


class Resource(Document, Generic[Attributes], frozen=True):
    """One thing."""

    type: str
    id: str
    attributes: Attributes


class Answer(Document, Generic[Attributes], frozen=True):
    """A good answer about one thing."""

    meta: DocumentMeta
    data: Resource[Attributes]


class ListAnswer(Document, Generic[Attributes], frozen=True):
    """A good answer about several things."""

    meta: DocumentMeta
    data: list[Resource[Attributes]]


class Where(Document, frozen=True):
    """Where a session stands, so that a client knows how to go on; null means that nothing more is asked for."""

    next_auth_step: str | UnsetType | None = UNSET
    next_step: str | UnsetType | None = UNSET
    allowed_first_steps: list[str] | UnsetType = UNSET


NOWHERE = Where()


class ErrorMeta(Where, frozen=True):
    """About a refusal."""

    timestamp: str = ""
    type: str = "jsonapi.metadata.document"
    temporary_lock_expiry: str | UnsetType = UNSET


class ErrorObject(Document, frozen=True):
    """Why. ``id`` is another one each time; the server's log has it too."""

    id: Annotated[str, Meta(examples=["3204:9542"])]
    status: int
    code: str
    detail: str


class ErrorAnswer(Document, frozen=True):
    """A refusal."""

    meta: ErrorMeta
    errors: list[ErrorObject]


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def answer(now: float, kind: str, identifier: str, attributes: Attributes) -> Answer[Attributes]:
    """A good answer about one thing."""
    return Answer(DocumentMeta(timestamp(now)), Resource(kind, identifier, attributes))


def list_answer(now: float, kind: str, items: list[tuple[str, Attributes]]) -> ListAnswer[Attributes]:
    """A good answer about several things, each with its id."""
    return ListAnswer(DocumentMeta(timestamp(now)), [Resource(kind, name, item) for name, item in items])


def error_answer(
    now: float, token_bytes: Callable[[int], bytes], error: ApiError, where: Where = NOWHERE
) -> ErrorAnswer:
    """A refusal."""
    meta = ErrorMeta(
        where.next_auth_step,
        where.next_step,
        where.allowed_first_steps,
        timestamp=timestamp(now),
        temporary_lock_expiry=UNSET if error.lock_expiry is None else timestamp(error.lock_expiry),
    )
    correlator = token_bytes(4).hex(":", 2)
    return ErrorAnswer(meta, [ErrorObject(correlator, error.status, error.code, error.detail)])


def log_refusal(path: str, document: ErrorAnswer) -> ErrorAnswer:
    """Write the refusal's id into the log, so that a report from outside can be found there."""
    for error in document.errors:
        log.info("%s refused: %s %s, id %s", path, error.status, error.code, error.id)
    return document
