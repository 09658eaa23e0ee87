"""Puts the rooms together: site file, wiring, supervisor, schedule, the packline command."""
