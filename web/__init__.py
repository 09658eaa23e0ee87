"""People: operators, integrators, buyers and couriers on Flask."""
