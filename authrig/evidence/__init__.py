"""What happened, kept so that a person can judge it: steps, pictures and decoded traffic."""
