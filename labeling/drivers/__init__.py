"""Printer languages and transports: the home of python-escpos."""
