"""What a user of a webcam of ours is told."""


class WebcamError(Exception):
    """A webcam cannot be, or is no more; the message is one sentence that names why and what would mend it."""
