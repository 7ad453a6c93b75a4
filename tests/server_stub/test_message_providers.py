import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otq1 import Tag
from server_stub.cloud.messages import DisplayField
from server_stub.message_providers import FieldTemplate, MessageProvider, advice

LIMIT = MessageProvider(
    (
        FieldTemplate(0, "New limit", "{currency} {amount|amount} a day"),
        FieldTemplate(Tag.FROM_ACCOUNT, "", "{account|account}"),
        FieldTemplate(Tag.REFERENCE, "", "{reason}", optional=True),
    )
)
GIVEN = {"currency": "CHF", "amount": "1250.00", "account": "CH9300762011623852957"}


def test_parameters_become_what_people_read() -> None:
    """An optional field is left out when there is nothing to show."""
    fields = [
        DisplayField(0, "CHF 1'250.00 a day", "New limit"),
        DisplayField(Tag.FROM_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
    ]
    assert LIMIT.render(GIVEN) == fields
    assert LIMIT.render(GIVEN | {"reason": ""}) == fields
    assert LIMIT.render(GIVEN | {"reason": "House"})[2] == DisplayField(Tag.REFERENCE, "House")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hidden": "x"}, "would not show hidden"),
        ({"amount": ""}, "amount is missing"),
        ({"amount": "1e3"}, "amount is no amount"),
        ({"amount": "01.00"}, "amount is no amount"),
    ],
)
def test_what_would_not_be_shown_is_not_approved(change: dict[str, str], sentence: str) -> None:
    """Nor what is missing or makes no sense."""
    with pytest.raises(ValueError, match=sentence):
        LIMIT.render(GIVEN | change)


@given(st.dictionaries(st.sampled_from([*GIVEN, "reason"]), st.text(max_size=8)))
def test_every_parameter_that_is_accepted_is_on_the_screen(given_parameters: dict[str, str]) -> None:
    """Whatever they are."""
    plain = MessageProvider(
        tuple(FieldTemplate(0, name, "{" + name + "}", optional=True) for name in [*GIVEN, "reason"])
    )
    shown = {field.label: field.value for field in plain.render(given_parameters)}
    assert shown.keys() == {name for name, value in given_parameters.items() if value}


def test_a_value_that_looks_like_a_place_is_only_a_value() -> None:
    """One template is filled in once."""
    provider = MessageProvider((FieldTemplate(0, "Note", "{note} {amount}"),))
    [field] = provider.render({"note": "{amount}", "amount": "1"})
    assert field.value == "{amount} 1"


@pytest.mark.parametrize(
    ("tag", "label", "template", "sentence"),
    [(0, "", "{a}", "tag or a label"), (1, "x", "{a}", "tag or a label"), (0, "x", "{a|roman}", "format 'roman'")],
)
def test_a_template_that_cannot_be_meant_is_refused(tag: int, label: str, template: str, sentence: str) -> None:
    """When the policy file is read."""
    with pytest.raises(ValueError, match=sentence):
        FieldTemplate(tag, label, template)


def test_long_texts_are_advised_against() -> None:
    """More than three fields, more than 130 characters with their labels."""
    assert advice(LIMIT.render(GIVEN)) == []
    many = [DisplayField(0, "x", "y")] * 4
    assert advice(many) == ["4 fields are shown, at most 3 are advised"]
    assert advice([DisplayField(0, "x" * 120, "y" * 11)]) == ["131 characters are shown, at most 130 are advised"]
