"""The bench that is up: every device of a rig file by its name, over HTTP, on a page and in a terminal."""
