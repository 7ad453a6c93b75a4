"""Why an lseqr text is refused. A token shows a screen for each."""


class LseqrError(ValueError):
    """A text or value is refused; the sentence says why and quotes no secret."""


class NotOurs(LseqrError):  # noqa: N818 - the names of the token's screens
    """The text is no lseqr URL of this kind: another QR code."""


class Damaged(LseqrError):  # noqa: N818 - as NotOurs
    """The message was changed, cut, made for another key, or breaks a rule of the protocol."""


class Unsupported(LseqrError):  # noqa: N818 - as NotOurs
    """The message has a version, type or flag that this implementation does not know."""


class NotForThisToken(LseqrError):  # noqa: N818 - as NotOurs
    """The message names another pairing."""


class NotEncodable(LseqrError):  # noqa: N818 - as NotOurs
    """A value breaks a rule of the protocol and cannot be sent."""
