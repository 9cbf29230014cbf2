"""Trains the best of a search and the constant rates again, with fresh seeds."""
