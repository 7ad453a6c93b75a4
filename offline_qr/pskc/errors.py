"""Why a PSKC file is refused."""


class PskcError(ValueError):
    """The file is no PSKC, or has what this reader does not take; the sentence names the element and quotes no secret."""


class WrongPskcKeyError(PskcError):
    """The MAC does not fit: the key or password is another one, or the file was changed."""
