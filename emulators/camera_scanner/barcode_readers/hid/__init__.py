"""Barcode readers that are no serial device: the keyboard wedge, which types what it reads, and HID-POS."""
