"""A FIDO security key as software: CTAP commands as a sans-I/O core, and the wires it can be plugged into."""
