"""Paper: label content, printer languages, printers, spool, and proof that a label printed."""
