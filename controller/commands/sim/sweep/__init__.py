"""`packline sim sweep`: other values times seeds, what came of each, and where a killed sweep goes on."""
