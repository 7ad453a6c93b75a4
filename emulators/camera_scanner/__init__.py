"""Eyes: where frames come from, what a lens does to them, and what is read in them."""
