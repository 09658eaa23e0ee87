"""Decides what one place on the line does next."""
