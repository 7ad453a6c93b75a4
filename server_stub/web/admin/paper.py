"""What is printed: badge cards and letters, with their words in a language of the pages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from server_stub.errors import ApiError, bad_request
from server_stub.printing import cards, font, letters, pdf, svg
from server_stub.printing.cards import Card
from server_stub.printing.drawing import Page
from server_stub.printing.errors import PrintError
from server_stub.web.languages import Language, languages
from server_stub.web.visit import Visit

FORMATS = {"pdf": "application/pdf", "svg": "image/svg+xml"}
Printed = tuple[str, str, bytes]
"""The name of a file, its media type, and what is in it."""


def require_printable(texts: Sequence[str], form: str) -> None:
    """Refuse what could not be printed, before anything is made that is told only once.

    Raises:
        ApiError: 400 if the format is none of ours, lacks a letter, or has no room.
    """
    if form not in FORMATS:
        raise bad_request(f"the format is {' or '.join(FORMATS)}")
    try:
        for text in texts:
            (font.require_letters if form == "pdf" else svg.require_printable)(text)
    except PrintError as error:
        raise ApiError(400, "UNPRINTABLE", str(error)) from error


async def print_cards(visit: Visit, made: Sequence[Card], form: str) -> Printed:
    """Sheets of badge cards."""
    return await _write(visit, cards.sheets(made), visit.language.say("print.badges"), "badges", form)


def app_letter(visit: Visit, name: str, tag: str, form: str) -> Callable[[str, str | None, str], Awaitable[Printed]]:
    """What writes the letter with which ``name`` enrols an app, once there are codes for it.

    Raises:
        ApiError: 400 if it could not be printed.
    """
    require_printable([name], form)
    language = languages().get(tag, visit.language)

    async def write(content: str, digits: str | None, expires_at: str) -> Printed:
        until = _shown(visit, language, expires_at)
        letter = letters.Letter(
            visit.iam.settings.service_name,
            name,
            language.say("print.app_title"),
            (language.say("print.app_intro", service=visit.iam.settings.service_name, until=until),),
            tuple(language.say(f"print.app_step_{number}") for number in (1, 2, 3)),
            content,
            _grouped(digits or ""),
            language.say("print.app_digits"),
            language.say("print.app_footer"),
        )
        return await _write(visit, letters.pages(letter), language.say("print.app_title"), "letter", form)

    return write


async def print_token_letter(visit: Visit, name: str, serial: str, tag: str, form: str) -> Printed:
    """The letter that goes with an OTP token which ``name`` activates. There is no secret in it.

    Raises:
        ApiError: 400 if it cannot be printed.
    """
    require_printable([name, serial], form)
    language = languages().get(tag, visit.language)
    service = visit.iam.settings.service_name
    letter = letters.Letter(
        service,
        name,
        language.say("print.token_title"),
        (language.say("print.token_intro", service=service),),
        (
            language.say("print.token_step_1", address=f"{visit.iam.settings.origins[0]}/self-service/"),
            language.say("print.token_step_2", serial=serial),
            language.say("print.token_step_3"),
        ),
        footer=language.say("print.token_footer"),
    )
    return await _write(visit, letters.pages(letter), language.say("print.token_title"), "letter", form)


def _grouped(digits: str) -> str:
    return " ".join(digits[begin : begin + 4] for begin in range(0, len(digits), 4))


def _shown(visit: Visit, language: Language, timestamp: str) -> str:
    moment = datetime.fromisoformat(timestamp).astimezone(visit.iam.local_time().tzinfo)
    return moment.strftime(language.say("print.date"))


async def _write(visit: Visit, pages: Sequence[Page], title: str, name: str, form: str) -> Printed:
    if form == "svg":
        return f"{name}.svg", FORMATS[form], svg.write(pages[0], title)
    return f"{name}.pdf", FORMATS[form], await asyncio.to_thread(pdf.write, pages, title, visit.iam.now())
