"""The virtual hosts, buyers and operators who speak HTTP to the line."""
