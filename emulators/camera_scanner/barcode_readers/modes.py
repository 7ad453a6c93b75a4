"""What makes a barcode reader look."""

from enum import Enum


class TriggerMode(Enum):
    """What makes a reader look."""

    MANUAL = "manual"
    """Its button: it looks while the button is held, until the first read. A host's command works too."""
    HOST = "host"
    """Only a command of its host."""
    CONTINUOUS = "continuous"
    """It always looks, and reports again what stays in view."""
    PRESENTATION = "presentation"
    """It always looks, and reports a code once for as long as it stays in view."""
