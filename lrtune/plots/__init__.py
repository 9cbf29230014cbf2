"""The pictures of a run: records in, axes out, one file a picture; without TensorFlow."""
