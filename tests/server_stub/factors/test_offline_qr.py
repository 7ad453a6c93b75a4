import base64

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from server_stub.cloud.messages import VerifyResult
from server_stub.factors.offline_qr import group_account, group_amount, picture, refusal

CONTENT = "OTQ1:" + "W50V50K67:43Z785HUR2EYG4+HTQZQYND/TK040D*T3 C4SOHIEM3IR-G.K5E7781NO*CYMI/UD%0EMDD-0ASCD8$H" * 2


@pytest.mark.parametrize("scale", [2, 6])
def test_the_picture_is_the_code_with_a_quiet_zone_of_four(scale: int) -> None:
    """Error correction M, alphanumeric, read back by another library."""
    uri = picture(CONTENT, scale)
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    (found,) = zxingcpp.read_barcodes(image)
    assert found.text == CONTENT
    assert found.ec_level == "M"
    dark = np.argwhere(image < 128)
    assert dark.min() == 4 * scale
    assert image.shape[0] - 1 - dark.max() == 4 * scale


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0"),
        ("1", "1"),
        ("999.99", "999.99"),
        ("1000", "1'000"),
        ("1250.00", "1'250.00"),
        ("1234567.05", "1'234'567.05"),
    ],
)
def test_amounts_are_grouped_by_thousands(amount: str, shown: str) -> None:
    """As a Swiss bank writes them."""
    assert group_amount(amount) == shown


@given(st.from_regex(r"\A(0|[1-9][0-9]{0,11})(\.[0-9]{2})?\Z"))
def test_grouping_loses_no_digit_of_an_amount(amount: str) -> None:
    """What is shown is what is paid."""
    assert group_amount(amount).replace("'", "") == amount


def test_an_iban_is_shown_in_fours_and_any_other_account_as_it_is() -> None:
    """However its spaces came."""
    assert group_account("CH9300762011623852957") == "CH93 0076 2011 6238 5295 7"
    assert group_account("CH93 0076 2011 6238 5295 7") == "CH93 0076 2011 6238 5295 7"
    assert group_account("01-145-6") == "01-145-6"


@given(st.text(min_size=1, max_size=40))
def test_grouping_changes_nothing_but_spaces_in_an_account(account: str) -> None:
    """What is shown is where it goes."""
    assert group_account(account).replace(" ", "") == account.replace(" ", "")


@pytest.mark.parametrize(
    ("result", "status", "code"),
    [
        (VerifyResult("deny", "wrong_code", 2), 400, "OTP_WRONG"),
        (VerifyResult("deny", "expired"), 400, "OTP_EXPIRED"),
        (VerifyResult("deny", "used"), 400, "OTP_EXPIRED"),
        (VerifyResult("deny", "locked_out", locked_until=5.0), 403, "USER_TEMPORARILY_LOCKED"),
        (VerifyResult("deny", "locked_out"), 403, "USER_LOCKED"),
    ],
)
def test_each_verdict_of_the_cloud_has_its_error_code(result: VerifyResult, status: int, code: str) -> None:
    """As docs/reference/rest.md lists them."""
    error = refusal(result)
    assert (error.status, error.code, error.lock_expiry) == (status, code, result.locked_until)
