"""Starts TensorFlow without the messages that it prints on machines without a GPU."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def start_tensorflow(threads: int | None = None) -> None:
    """Imports TensorFlow and Keras, printing only errors.

    Args:
        threads: int >= 1 threads for computing, or None for TensorFlow's choice. Only the first
            call in a process has an effect.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _held_back_stderr():
        import keras  # noqa: F401 - imported for its effect
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        if threads is not None:
            with suppress(RuntimeError):  # the runtime has started already
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
        # The first operation starts the runtime, which prints messages about missing GPUs too.
        tf.constant(0)


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, by C++ too; prints it only on an error."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(original, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
