"""Emulated QR tokens as files, and what runs one: its screen, its keys, its eye, its network."""
