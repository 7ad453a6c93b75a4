"""Yubico's own device tests, unmodified, as a judge of a key: fetched, run against the rig, and held to a ledger."""
