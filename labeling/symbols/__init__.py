"""Draws bar codes: the home of zxing-cpp as a writer."""
