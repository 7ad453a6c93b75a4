"""Emulated keys as a product: keys as files, in ports that can be powered and touched, driven over HTTP."""
