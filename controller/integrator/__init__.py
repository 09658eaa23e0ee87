"""What an integrator works with at a machine: targets, probes, tag lists, generated files, pictures of a line."""
