"""The floor as it physically is: things, places, what people can do, and the record of what truly happened."""
