"""Devices made of several emulators."""
