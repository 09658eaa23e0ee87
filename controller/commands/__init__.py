"""The verbs of the `packline` command, one module each."""
