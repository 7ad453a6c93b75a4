import pytest

from emulators.fido_authenticator.commands.authorization import verify_user
from emulators.fido_authenticator.messages import PinUvAuth
from emulators.fido_authenticator.status import CtapError, Status


def test_nobody_is_verified_on_a_key_without_verification() -> None:
    """Without a proof, and with "uv" absent or false, the command goes on unverified and asks nothing."""
    for options in ({}, {"uv": False}):
        with pytest.raises(StopIteration) as finished:
            next(verify_user(PinUvAuth(), options))
        assert finished.value.value is False


@pytest.mark.parametrize(
    ("auth", "options", "expected"),
    [
        (PinUvAuth(b"", None), {}, Status.MISSING_PARAMETER),
        (PinUvAuth(b"", 1), {}, Status.INVALID_PARAMETER),
        (PinUvAuth(bytes(32), 2), {"uv": True}, Status.INVALID_PARAMETER),
        (PinUvAuth(), {"uv": True}, Status.INVALID_OPTION),
    ],
)
def test_proofs_that_cannot_be_checked_are_refused(auth: PinUvAuth, options: dict[str, bool], expected: Status) -> None:
    """A proof is never taken on trust."""
    with pytest.raises(CtapError) as refused:
        next(verify_user(auth, options))
    assert refused.value.status is expected
