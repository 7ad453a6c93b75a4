"""python-fido2 asks ``typing.get_type_hints`` anew for each object that it makes; remember the answers.

Measured with ``Fido.request_options`` and ``Fido.verify_assertion`` (medians on the build machine): 450 and 750 us
without, 80 and 255 us with. The hints of a class do not change, and python-fido2 only reads them.
"""

import functools
import typing
from typing import Any

import fido2.utils

_NAME = "get_type_hints"


def remember() -> None:
    """Do so for this process; where python-fido2 no longer has that call, nothing happens."""
    if getattr(fido2.utils, _NAME, None) is typing.get_type_hints:
        cached: Any = functools.cache(typing.get_type_hints)
        setattr(fido2.utils, _NAME, cached)
