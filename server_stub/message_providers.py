"""Message providers: how the parameters of a transaction become the fields that its user is shown, and then approves.

What is not shown is not approved: a parameter that no template uses is refused, and so is one that is missing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from offline_qr.otq1 import Tag
from server_stub.cloud.messages import DisplayField
from server_stub.factors.offline_qr import Transaction, group_account, group_amount, payment_fields
from server_stub.factors.password import normalise

ADVISED_FIELDS = 3
ADVISED_CHARACTERS = 130
"""What the maker of the modelled product advises for a text that people read on a small screen."""
_PLACE = re.compile(r"{(\w+)(?:\|(\w+))?}")
FORMATS: dict[str, Callable[[str], str]] = {"": str, "amount": group_amount, "account": group_account}
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class FieldTemplate:
    """One field: a well-known ``tag``, or 0 and a ``label``; ``template`` has places such as ``{amount|amount}``.

    Raises:
        ValueError: if a place names a format that there is not, a label is missing or too much.
    """

    tag: int
    label: str
    template: str
    optional: bool = False
    """Left out when one of its parameters is missing or empty."""

    def __post_init__(self) -> None:
        for name, how in _PLACE.findall(self.template):
            if how not in FORMATS:
                raise ValueError(
                    f"the template of {name!r} asks for the format {how!r}, expected one of amount, account"
                )
        if bool(self.label) != (self.tag == 0):
            raise ValueError("a field has either a tag or a label")

    @property
    def parameters(self) -> frozenset[str]:
        """What it needs."""
        return frozenset(name for name, _ in _PLACE.findall(self.template))

    def render(self, given: Mapping[str, str]) -> DisplayField:
        """The field.

        Raises:
            ValueError: if an amount is none.
        """

        def put(place: re.Match[str]) -> str:
            name, how = place[1], place[2] or ""
            if how == "amount" and not _AMOUNT.fullmatch(given[name]):
                raise ValueError(f"{name} is no amount such as 1250.00")
            return FORMATS[how](given[name])

        return DisplayField(self.tag, normalise(self.fill(put)).decode(), self.label)

    def fill(self, put: Callable[[re.Match[str]], str]) -> str:
        """The template with what ``put`` says in its places."""
        return _PLACE.sub(put, self.template)


@dataclass(frozen=True, slots=True)
class MessageProvider:
    """The templates of one approval flow; with none it is a payment, whose parameters are checked in every detail."""

    templates: tuple[FieldTemplate, ...] = ()

    def render(self, given: Mapping[str, str]) -> list[DisplayField]:
        """The fields that are shown.

        Raises:
            ValueError: if a parameter is missing, not shown anywhere, or not as it should be.
        """
        if not self.templates:
            return payment_fields(msgspec.convert(dict(given), Transaction))
        known = frozenset().union(*(template.parameters for template in self.templates))
        unknown = sorted(given.keys() - known)
        if unknown:
            raise ValueError(f"the flow would not show {', '.join(unknown)}: what is not shown is not approved")
        shown = []
        for template in self.templates:
            missing = sorted(name for name in template.parameters if not given.get(name))
            if not missing:
                shown.append(template.render(given))
            elif not template.optional:
                raise ValueError(f"the parameter {missing[0]} is missing")
            elif len(missing) < len(template.parameters):
                raise ValueError(f"the parameter {missing[0]} is missing beside the others of its field")
        return shown


def advice(fields: Sequence[DisplayField]) -> list[str]:
    """What people would find hard to read; not an error."""
    characters = sum(len(field.label or label_of(field.tag)) + len(field.value) for field in fields)
    warnings = []
    if len(fields) > ADVISED_FIELDS:
        warnings.append(f"{len(fields)} fields are shown, at most {ADVISED_FIELDS} are advised")
    if characters > ADVISED_CHARACTERS:
        warnings.append(f"{characters} characters are shown, at most {ADVISED_CHARACTERS} are advised")
    return warnings


def label_of(tag: int) -> str:
    """What a token shows for a well-known tag, in English."""
    return Tag(tag).name.replace("_", " ").capitalize()
