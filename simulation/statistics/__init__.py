"""What may be said about numbers that a random run gave: means, intervals, percentiles, indices. numpy only."""
