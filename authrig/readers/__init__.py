"""Emulated barcode readers that run until they are told to stop."""
