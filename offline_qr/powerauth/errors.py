"""Why a PowerAuth text is refused. A token shows a screen for each."""


class PowerAuthError(ValueError):
    """A text or value is refused; the sentence says why and quotes no secret."""


class NotOurs(PowerAuthError):  # noqa: N818 - the names of the token's screens
    """The text is no PowerAuth operation: another QR code."""


class Damaged(PowerAuthError):  # noqa: N818 - as NotOurs
    """The text was changed or cut, or breaks a rule of the format."""


class BadSignature(Damaged):
    """The operation is not signed by the server that the token knows."""
