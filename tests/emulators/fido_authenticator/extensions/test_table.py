from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.cbor import encode
from emulators.fido_authenticator.extensions.table import EXTENSIONS
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    assertion,
    creation,
    descriptor,
    register,
)

_LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-70010, 300), st.booleans(), st.none(), st.binary(max_size=40), st.text(max_size=4)
)
_INPUTS = st.dictionaries(
    st.sampled_from(sorted(EXTENSIONS)),
    _LEAVES
    | st.lists(_LEAVES, max_size=3)
    | st.dictionaries(
        st.integers(0, 8), _LEAVES | st.lists(st.sampled_from([-7, -300, -65539]), max_size=2), max_size=5
    ),
    max_size=4,
)
_AUTHENTICATOR = Authenticator(Env.simulated(1))
_KNOWN = register(
    _AUTHENTICATOR,
    {
        6: {"credBlob": b"blob", "hmac-secret": True, "largeBlobKey": True, "previewSign": {3: [-65539], 4: 0}},
        7: {"rk": True},
    },
)


def test_the_default_key_has_every_extension() -> None:
    """What is implemented is advertised."""
    assert set(profiles.load().extensions) == set(EXTENSIONS)


@settings(max_examples=300, deadline=None)
@given(inputs=_INPUTS, command=st.sampled_from([MAKE_CREDENTIAL, GET_ASSERTION]), option=st.booleans())
def test_any_input_is_answered_and_a_refused_one_leaves_no_trace(
    inputs: dict[str, Any], command: int, *, option: bool
) -> None:
    """Whatever stands in the place of the inputs, alone or together."""
    parameters = (
        creation({6: inputs, 7: {"rk": option}})
        if command == MAKE_CREDENTIAL
        else assertion({3: [descriptor(_KNOWN)], 4: inputs, 5: {"up": option}})
    )
    before = dump(_AUTHENTICATOR.store)
    answer = _AUTHENTICATOR.start(bytes([command]) + encode(parameters)).answer
    assert answer is not None
    assert Status(answer[0]) is not Status.OTHER
    if answer[0] != Status.SUCCESS:
        assert len(answer) == 1
        assert dump(_AUTHENTICATOR.store) == before
