"""What is typed into the administration's forms, as the REST wants it."""

from server_stub.errors import ApiError, bad_request
from server_stub.web.visit import Visit


def required(visit: Visit, *names: str) -> list[str]:
    """The fields of those names, without spaces around them.

    Raises:
        ApiError: 400 if one is empty.
    """
    values = [visit.form.get(name, "").strip() for name in names]
    if not all(values):
        raise ApiError(400, "FIELDS_MISSING", f"needed: {', '.join(names)}")
    return values


def number(visit: Visit, name: str) -> int | None:
    """A whole number; None for an empty field.

    Raises:
        ApiError: 400 if it is none.
    """
    text = visit.form.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise bad_request(f"{name} is a whole number")
    return int(text)


def words(text: str) -> list[str]:
    """What stands between commas, semicolons, and the ends of lines."""
    for each in ",;\r":
        text = text.replace(each, "\n")
    return [word.strip() for word in text.split("\n") if word.strip()]
