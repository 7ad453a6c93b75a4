"""Emulated barcode readers: cores without I/O that take codes and bytes and give bytes, one module per family."""
