"""The administration's pages, on the internal port beside its REST, whose rows they call."""
