"""One shift of a line and its plant in virtual time: put together, played, killed and begun again."""
