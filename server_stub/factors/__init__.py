"""Factors: one file per way to prove something."""
