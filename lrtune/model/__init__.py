"""The models that are searched over, and what they are compiled with."""
