"""Building blocks of lines and queues in SimPy, each usable alone: sources, queues, machines, conveyors, people.

They model time and places only. Nothing of the controller runs on them; the machines of `simulation.machines` do that.
"""
