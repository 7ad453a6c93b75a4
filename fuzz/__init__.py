"""Coverage-guided fuzzing of the key's edges: reports, CBOR and APDUs. ``python -m fuzz`` runs it."""
