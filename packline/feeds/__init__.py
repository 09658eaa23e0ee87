"""Host systems: orders in, tracking events out."""
