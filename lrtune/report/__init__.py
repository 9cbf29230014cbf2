"""A run's report: built as one value, laid out for the terminal or as a table."""
