"""What a user of a virtual cable is told."""


class PlugError(Exception):
    """A device cannot be plugged in; the message is one sentence that names why and what would mend it."""
