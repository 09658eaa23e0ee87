"""What the warehouse knows; no machine in it."""
