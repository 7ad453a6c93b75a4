"""Flows: which methods, in which order, make a login."""
