"""Everything that can be made to go wrong on purpose: one catalogue, and what does it."""
