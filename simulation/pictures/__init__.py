"""Draws what the virtual cameras see."""
