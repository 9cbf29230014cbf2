"""Keras Tuner's tuners with lrtune's search loop inside."""
