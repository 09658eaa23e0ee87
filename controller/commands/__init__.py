"""One module per verb of the packline command."""
