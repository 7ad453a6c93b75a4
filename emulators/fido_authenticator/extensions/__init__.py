"""CTAP2 extensions, one file each, behind the interface in ``extension.py``."""
