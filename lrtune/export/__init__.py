"""A run in the files of the tools that people look at already: tables, Optuna, TensorBoard, ..."""
