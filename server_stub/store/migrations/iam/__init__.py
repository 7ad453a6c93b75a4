"""Revisions of the IAM's database, oldest first."""
