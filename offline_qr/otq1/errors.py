"""Why an OTQ1 text is refused. A token shows a screen for each."""


class Otq1Error(ValueError):
    """A text or a challenge is refused; the sentence says why and quotes no secret."""


class NotOurs(Otq1Error):  # noqa: N818 - the names of the token's screens
    """The text is no OTQ1 message at all: another QR code."""


class Damaged(Otq1Error):  # noqa: N818 - as NotOurs
    """The message was changed, cut, made without the token's key, or breaks a rule of the protocol."""


class BadSignature(Damaged):
    """The signature is not by the server whose key the token holds, or there is none though the token holds a key."""


class Unsupported(Otq1Error):  # noqa: N818 - as NotOurs
    """The message asks for something that this implementation does not know. It must not be tried anyway."""


class NotForThisToken(Otq1Error):  # noqa: N818 - as NotOurs
    """The message names another token."""


class NotEncodable(Otq1Error):  # noqa: N818 - as NotOurs
    """A challenge breaks a rule of the protocol and cannot be made."""


class WrongActivationCode(Otq1Error):  # noqa: N818 - as NotOurs
    """The activation code was mistyped, is another message's, or the message was changed."""
