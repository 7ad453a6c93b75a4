import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.flows.flow import IDENTIFYING, NAMING, Flow, Method
from server_stub.flows.next_step import next_auth_step
from server_stub.sessions import FidoChallenge, Pending

P, N, S, Q, F = Method.PASSWORD, Method.BADGE_INSECURE, Method.BADGE_SECURE, Method.OFFLINE_QR, Method.FIDO
SCHOOL = Flow("school", ((P,), (S,), (N, P)))


def test_a_cursor_moves_along_the_ways_that_are_left() -> None:
    """After the insecure badge only its way is open."""
    assert SCHOOL.next_methods(()) == (P, S, N)
    assert SCHOOL.next_methods((N,)) == (P,)
    assert SCHOOL.next_methods((N, P)) == ()
    assert SCHOOL.next_methods((Q,)) == ()


def test_only_a_whole_way_is_complete() -> None:
    """An insecure badge is not."""
    assert [SCHOOL.is_complete(passed) for passed in ((), (P,), (S,), (N,), (N, P), (P, N))] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("ways", "sentence"),
    [
        ((), "no way"),
        (((),), "empty way"),
        (((Q, P),), "does not say who"),
        (((Method.OTP,),), "does not say who"),
        (((P, Method.SSO_TICKET),), "known already"),
        (((Method.USERNAME,),), "only a user name"),
        (((Method.DEVICE_TOKEN,),), "only a user name"),
        (((P, P),), "asks twice"),
        (((N,),), "only a user name"),
        (((P,), (P, Q)), "only the beginning"),
    ],
)
def test_a_flow_that_cannot_be_meant_is_not_made(ways: tuple[tuple[Method, ...], ...], sentence: str) -> None:
    """Each with its sentence."""
    with pytest.raises(ValueError, match=sentence):
        Flow("wrong", ways)


ways = st.lists(st.lists(st.sampled_from(Method), max_size=3).map(tuple), max_size=4).map(tuple)


@given(ways)
def test_every_flow_that_can_be_made_is_safe_and_ends(ways: tuple[tuple[Method, ...], ...]) -> None:
    """Walk each: it begins by identifying, is complete exactly where nothing more is asked, and proves something."""
    try:
        flow = Flow("any", ways)
    except ValueError:
        return
    cursors: list[tuple[Method, ...]] = [()]
    while cursors:
        cursor = cursors.pop()
        following = flow.next_methods(cursor)
        assert flow.is_complete(cursor) == (not following)
        if flow.is_complete(cursor):
            assert cursor[0] in IDENTIFYING
            assert not NAMING.issuperset(cursor)
        cursors += [(*cursor, method) for method in following]


@pytest.mark.parametrize(
    ("methods", "pending", "step"),
    [
        ((), Pending(), None),
        ((P,), Pending(), "PASSWORD_REQUIRED"),
        ((S,), Pending(), "BADGE_REQUIRED"),
        ((P, S), Pending(), "PASSWORD_OR_BADGE_REQUIRED"),
        ((Q,), Pending(), "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"),
        ((Q,), Pending("token"), "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"),
        ((Q,), Pending("token", "challenge"), "AIRLOCK_2FA_OTP_REQUIRED"),
        ((Method.PUSH, Q), Pending("app", factor=Method.PUSH), "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"),
        ((Q, Method.OTP), Pending("token", factor=Method.OTP), "AIRLOCK_2FA_OTP_REQUIRED"),
        ((Q, F), Pending(factor=F), "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"),
        ((Method.USERNAME, Method.SSO_TICKET), Pending(), "USERNAME_REQUIRED"),
        ((F,), Pending(), "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"),
        ((F,), Pending(fido=FidoChallenge("x", {}, 0)), "FIDO_AUTHENTICATION_RESPONSE_REQUIRED"),
    ],
)
def test_every_state_of_a_step_has_its_name(methods: tuple[Method, ...], pending: Pending, step: str | None) -> None:
    """As docs/reference/rest.md lists them."""
    assert next_auth_step(methods, pending) == step
