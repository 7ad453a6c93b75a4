"""What cannot be printed."""


class PrintError(ValueError):
    """It cannot be printed as asked; the sentence says what to do instead, and quotes no code."""
