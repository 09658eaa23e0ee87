"""The two fieldbuses: the only running code that imports pymodbus and asyncua."""
