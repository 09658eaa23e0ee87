"""Tags: named values of a machine, from the file's words to values with quality."""
