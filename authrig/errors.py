"""The errors that a user of the rig sees."""


class RigError(Exception):
    """Something that keeps the rig from running; the message is one sentence that names it and what would mend it."""


class LacksError(RigError):
    """The rig has not what was asked for, or may not use it for that: a test that wants it is skipped."""


class Deviation(Exception):  # noqa: N818 - the rig worked; what it looked at did not do what it should
    """A device or server did something other than what a flow expects of it."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.what, self.expected, self.found = what, expected, found
