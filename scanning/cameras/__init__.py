"""Grabs frames and stamps them with counter and capture time."""
