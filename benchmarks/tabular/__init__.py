"""Searches of lrtune's that are answered from a table of real trainings instead of training."""
