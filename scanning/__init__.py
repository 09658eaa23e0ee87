"""Seeing and reading: cameras, decoders, GS1 parsing, scanner drivers."""
