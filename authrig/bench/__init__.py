"""The devices of a rig file, made or found as they are asked for, and lent to one user at a time."""
