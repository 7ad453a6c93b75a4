"""Emulated authentication devices: an offline QR token, a FIDO security key and a QR scanner.

They know no server: what a device says to a server travels as a code on a display or as bytes on a wire.
"""
