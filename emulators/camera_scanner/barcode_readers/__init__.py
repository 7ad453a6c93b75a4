"""Barcode readers on a serial line: ``emulated`` ones for hosts to open, and ``drivers`` for real ones."""
