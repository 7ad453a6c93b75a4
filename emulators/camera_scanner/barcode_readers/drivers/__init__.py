"""Drivers for real barcode readers on a serial line, so that a rig can use one as its eye; one module per family."""
