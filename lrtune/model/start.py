"""Starts TensorFlow without the messages that it prints on machines without a GPU."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lrtune.errors import SearchError
from lrtune.model.gpus import prepare_gpus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


UNUSED = ("jax", "matplotlib", "sklearn")
"""Packages that TensorFlow, Keras and Keras Tuner import if they are installed: to convert models
of JAX, for `keras.visualization`, `keras.wrappers` and stock Bayesian search. They take a third of
the time of the import (1.5 of 4.2 processor seconds)."""


def import_tensorflow(without: Sequence[str] = ()) -> None:
    """Imports TensorFlow, Keras and Keras Tuner, printing only errors; starts no runtime.

    Args:
        without: packages that they shall not find, unless these are imported already. What needs
            one of them in Keras then says for good that it is not installed; anybody else can
            import it afterwards.

    Raises:
        SearchError: they cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _held_back_stderr(), _not_found(without):
        try:
            import keras  # noqa: F401 - imported for its effect
            import keras_tuner  # noqa: F401 - likewise
            import tensorflow as tf
        except ImportError as error:  # not installed, broken, or no memory for its libraries
            raise SearchError(f"TensorFlow and Keras cannot be imported: {error}") from error
        tf.get_logger().setLevel("ERROR")


def start_tensorflow(threads: int | None = None, *, workers: bool = False) -> None:
    """Imports TensorFlow and Keras and starts the runtime, printing only errors.

    Args:
        threads: int >= 1 threads for computing, or None for TensorFlow's choice. Only the first
            call in a process has an effect.
        workers: whether worker processes train, so that this one leaves them the GPUs.
    """
    import_tensorflow()
    import tensorflow as tf

    with _held_back_stderr():
        prepare_gpus(workers=workers)
        if threads is not None:
            with suppress(RuntimeError):  # the runtime has started already
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
        # The first operation starts the runtime, which prints messages about missing GPUs too.
        tf.constant(0)


@contextmanager
def _not_found(names: Sequence[str]) -> Iterator[None]:
    """Makes the import of packages fail as if they were not installed."""
    hidden: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, by C++ too; prints it only on an error."""
    sys.stderr.flush()
    try:
        held = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    except OSError:  # no folder for temporary files: better too much output than none
        yield
        return
    original = os.dup(2)
    with held:
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
