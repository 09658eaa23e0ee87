"""Pure rules of fulfilling: no I/O, no clock of their own."""
