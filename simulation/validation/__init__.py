"""Proof that the blocks tell the truth: textbook cases with known answers, run and compared."""
