"""Revisions of the cloud's database, oldest first."""
