"""GPUs: the workers see them; the driver does not, as it would take memory from its workers.

Nothing here starts TensorFlow's runtime. What CUDA_VISIBLE_DEVICES hides stays hidden.
"""

from __future__ import annotations

import os
import warnings

GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"
"""TensorFlow's variable of the environment, read when its runtime starts. Otherwise the first
process on a GPU takes nearly all of its memory, and no second one fits."""


def gpus() -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES names them: numbers, UUIDs, MIG's."""
    import tensorflow as tf

    count = len(tf.config.list_physical_devices("GPU"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(count)]
    return names[:count]


def are_hidden() -> bool:
    """Whether this machine has GPUs that this process cannot use."""
    import tensorflow as tf

    return bool(gpus()) and not tf.config.get_visible_devices("GPU")


def prepare_gpus(*, workers: bool) -> None:
    """Decides how this process uses GPUs, unless it has started TensorFlow's runtime already.

    Args:
        workers: whether worker processes train, so that this one needs no GPU: it then sees none
            for as long as it lives. Otherwise it takes memory as it needs it.
    """
    if workers:
        _hide_all()
    os.environ.setdefault(GROWTH, "true")


def _hide_all() -> None:
    import tensorflow as tf

    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:  # the runtime has started
        held = tf.config.get_visible_devices("GPU")
        grows = map(tf.config.experimental.get_memory_growth, held)
        if os.environ.get(GROWTH) != "true" and not all(grows):
            warnings.warn(
                "TensorFlow has started in this process and may hold all memory of its GPUs, "
                "which the workers need. Create the tuner before anything else uses TensorFlow, "
                f"or set {GROWTH}=true.",
                stacklevel=4,
            )
