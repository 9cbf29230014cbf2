"""Records of a run: their schema, the one writer, the reader."""
