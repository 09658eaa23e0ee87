"""What is kept of a shift for those who look at it afterwards: states, visits, orders, exceptions, faults."""
