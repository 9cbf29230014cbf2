"""Small things that know nothing of learning rates."""
