import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.powerauth import Damaged, Field, parse_operation_data


def test_the_examples_of_the_format() -> None:
    """A payment, a login, and a payment with a note in its fifth place."""
    payment = parse_operation_data("A1*A100CZK*ICZ2730300000001165254011*R/VS123456/SS/KS*D20180425")
    assert payment.template == 1
    assert payment.entries == [
        ("Amount", "CZK 100"),
        ("Account", "CZ2730300000001165254011"),
        ("Reference", "/VS123456/SS/KS"),
        ("Date", "2018-04-25"),
    ]
    assert parse_operation_data("A2").fields == ()
    note = parse_operation_data("A1*A1492.50EUR*ICZ2730300000001165254011,AIRACZPP***Nnote for recipient")
    assert note.entries[0] == ("Amount", "EUR 1492.50")
    assert note.fields[2:4] == (Field("", ""), Field("", ""))
    assert note.entries[-1] == ("Note", "note for recipient")


def test_escapes_and_unknown_types() -> None:
    """Unknown ones are shown as they are, and counted like the texts."""
    data = parse_operation_data(r"A0*Ta\*b\\c\nd*Xnew*Q1165254011/3030")
    assert data.entries == [
        ("Attribute 1", "a*b\\c\nd"),
        ("Attribute 2", "Xnew"),
        ("Account", "1165254011/3030"),
    ]
    assert parse_operation_data("A99*Ta").template == 99


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "version A"),
        ("B1*A1CZK", "version A"),
        ("A", "version A"),
        ("A100", "version A"),
        ("A01", "version A"),
        ("A0*Ta*Tb*Tc*Td*Te*Tf", "up to 5 fields, found 6"),
        ("A1*A100CZK", "a payment starts with"),
        ("A1", "a payment starts with"),
        ("A1*ICZ2730300000001165254011*A100CZK", "a payment starts with"),
        ("A0*A100", "an amount is"),
        ("A0*A1,00CZK", "an amount is"),
        ("A0*A-1CZK", "an amount is"),
        ("A0*I123", "an account is"),
        ("A0*D20181301", "a date is"),
        ("A0*D2018", "a date is"),
        ("A0*Ta\\", "a backslash stands"),
        ("A0*Ta\\t", "a backslash stands"),
        ("A0*Ta\nb", "no hidden characters"),
        ("A0*\u202eText", "no hidden characters"),
        ("A0* Text", "starts with a letter"),
        ("A0*T" + "x" * 1100, "up to 1024 bytes"),
    ],
)
def test_bad_data_are_refused(text: str, sentence: str) -> None:
    """With the part that is wrong."""
    with pytest.raises(Damaged, match=sentence):
        parse_operation_data(text)


@given(st.text(max_size=40) | st.text("A012*TIQDRN\\n.CZK9", max_size=40).map(lambda text: "A0*" + text))
def test_any_text_is_operation_data_or_refused(text: str) -> None:
    """And stays what it was."""
    try:
        data = parse_operation_data(text)
    except Damaged:
        return
    assert data.text == text
    assert len(data.entries) <= 5
