"""The reference pages of the twin: faults, models and scenarios, made from the code."""
