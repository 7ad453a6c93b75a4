"""The protocols that a token can speak: each turns what the camera saw into something to review, and that into a code."""
