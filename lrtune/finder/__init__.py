"""The learning-rate range test: which rates are worth searching, found in an epoch or two."""
