"""Exports a run to other tools: tables, Optuna, TensorBoard."""
