"""Holds a recorded journal against the rules of this release."""
