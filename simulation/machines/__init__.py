"""The machines that are not there: SimPy behaviours around the same rules that real ones keep."""
