"""Why a tiqr text is refused. A token shows a screen for each."""


class TiqrError(ValueError):
    """A text or value is refused; the sentence says why and quotes no secret."""


class NotOurs(TiqrError):  # noqa: N818 - the names of the token's screens
    """The text is no tiqr URL of this kind: another QR code."""


class Damaged(TiqrError):  # noqa: N818 - as NotOurs
    """A part is missing, has other characters than it may have, or is too long."""


class Unsupported(TiqrError):  # noqa: N818 - as NotOurs
    """A protocol version, or an OCRA suite, that tiqr does not know."""
