"""Thin shells that carry reports between hosts and the same CTAPHID core."""
