"""An epoch in a worker compared with the same CNN's loop in plain TensorFlow, both cores busy."""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any

import common

if TYPE_CHECKING:
    import argparse

PROCESSES = 2


def bare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds per epoch, training and validation, in two single-threaded processes at once."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        seconds = pool.map(_bare_epochs, [arguments] * PROCESSES, chunksize=1)
    return {"epoch_seconds": statistics.median(itertools.chain(*seconds))}


def lrtune_side(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds per epoch in lrtune's workers, and their share of cores x time."""
    import lrtune

    args, kwargs = common.images(arguments)
    folder = tempfile.mkdtemp()
    tuner = lrtune.RandomSearch(
        lrtune.CatsVsDogsHyperModel(epochs=arguments.max_epochs),
        objective="val_accuracy",
        max_trials=4,
        directory=folder,
        project_name="run",
        seed=1,
        workers=PROCESSES,
        baseline_seeds=0,
    )
    started = time.perf_counter()
    tuner.search(*args, **kwargs, verbose=0)
    wall = time.perf_counter() - started
    run = lrtune.load_run(f"{folder}/run")
    trials = run.ranking()["trial_id"]
    epochs = [list(run.epochs(trial)["seconds"]) for trial in trials]
    return {
        "epoch_seconds": statistics.median(itertools.chain(*(one[1:] for one in epochs))),
        "busy": sum(map(sum, epochs)) / (PROCESSES * wall),
    }


def summary(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    bare_epoch = medians["bare"]["epoch_seconds"]
    epoch = medians["lrtune_2"]["epoch_seconds"]
    return {
        "share_of_bare_loop": round(bare_epoch / epoch, 3),
        "above_bare_loop": round(1 - bare_epoch / epoch, 3),
        "cores_x_time_in_epochs": round(medians["lrtune_2"]["busy"], 3),
    }


def _bare_epochs(arguments: argparse.Namespace) -> list[float]:
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import lrtune

    (x, y), kwargs = common.images(arguments)
    x_val, y_val = kwargs["validation_data"]
    images, labels = tf.constant(x), tf.one_hot(y, 2)
    held_images, held_labels = tf.constant(x_val), tf.one_hot(y_val, 2)
    batch, steps, held_steps = 64, len(x) // 64, len(x_val) // 64
    model = lrtune.cats_vs_dogs_cnn()
    optimizer = keras.optimizers.SGD(0.05, momentum=0.5)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=False)
    def train(order: Any) -> None:
        for step in tf.range(steps):
            chosen = order[step * batch : (step + 1) * batch]
            with tf.GradientTape() as tape:
                outputs = model(tf.gather(images, chosen), training=True)
                truth = tf.gather(labels, chosen)
                loss = tf.reduce_mean(keras.losses.categorical_crossentropy(truth, outputs))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    @tf.function(jit_compile=False)
    def validate() -> Any:
        right = tf.constant(0.0)
        for step in tf.range(held_steps):
            part = slice(step * batch, (step + 1) * batch)
            outputs = model(held_images[part], training=False)
            right += tf.reduce_sum(
                tf.cast(
                    tf.argmax(outputs, axis=1) == tf.argmax(held_labels[part], axis=1), tf.float32
                )
            )
        return right

    seconds = []
    for epoch in range(arguments.max_epochs + 1):
        started = time.perf_counter()
        train(tf.random.experimental.stateless_shuffle(tf.range(len(x)), [1, epoch]))
        float(validate())
        seconds.append(time.perf_counter() - started)
    return seconds[1:]  # the first epoch traces the functions


if __name__ == "__main__":
    common.run(__doc__, {"bare": bare, "lrtune_2": lrtune_side}, summary)
