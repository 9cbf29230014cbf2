"""Short reviews, good or bad: an embedding, its width and the schedule searched together.

    python examples/text.py

The reviews are made here from a few templates. The words become numbers before the search, so that
every trial reads the same array; the vocabulary is learned from the training part alone.
"""

from __future__ import annotations

import sys

import keras
import numpy as np

import lrtune

WORDS, LENGTH = 200, 12
THINGS = ("plot", "acting", "music", "ending", "camera work", "dialogue")
GOOD = ("great", "moving", "funny", "clever", "a joy")
BAD = ("dull", "clumsy", "silly", "far too long", "a mess")
TEMPLATES = ("The {0} was {1} and the {2} {3}.", "I found the {0} {1}, but the {2} {3}.")


def make_reviews(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts and labels, 1 for good; one in ten is labelled wrongly. Put your own texts here."""
    rng = np.random.default_rng(seed)
    texts, labels = [], rng.integers(0, 2, count)
    for label in labels:
        things, words = rng.choice(THINGS, 2, replace=False), rng.choice((BAD, GOOD)[label], 2)
        texts.append(str(rng.choice(TEMPLATES)).format(things[0], words[0], things[1], words[1]))
    return texts, np.where(rng.random(count) < 0.1, 1 - labels, labels)


def build_model(hp):
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(WORDS, hp.Choice("width", [4, 8, 16])),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def main(epochs: int = 9, folder: str = "runs") -> None:
    texts, y = make_reviews(1_000, seed=1)
    to_numbers = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    to_numbers.adapt(texts[:800])
    x = np.asarray(to_numbers(texts))

    hypermodel = lrtune.ScheduleHyperModel(
        build_model,
        epochs=epochs,
        families=["linear", "warmup+cosine"],
        optimizer="adam",
        loss="binary_crossentropy",
    )
    tuner = lrtune.RandomSearch(
        hypermodel,
        objective="val_loss",
        max_trials=10,
        directory=folder,
        project_name="text",
        seed=1,
    )
    tuner.search(x[:800], y[:800], validation_data=(x[800:], y[800:]), batch_size=32)

    run = lrtune.load_run(f"{folder}/text")
    print(f"\n{run.verdict()}")
    if choice := run.recommendation():
        print(f"\nThe recommended choice in plain Keras:\n\n{choice.code()}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
