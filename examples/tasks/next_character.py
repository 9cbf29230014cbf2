"""The next character of a text from the 32 before: a small language model with AdamW.

The text is the reference that Python's `help()` shows, which every Python ships.

lrtune search --confirm --model examples/tasks/next_character.py:build_model \
    --data examples/tasks/next_character.py:load --loss sparse_categorical_crossentropy \
    --optimizer adamw --families reading,modern --max-epochs 18
"""

from __future__ import annotations

from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

if TYPE_CHECKING:
    import keras_tuner

BEFORE = 32
CHARACTERS = 128


def load() -> dict[str, tuple[Any, Any]]:
    """Passages of 20,000 characters: of ten, seven to train, one to validate and two to test."""
    text = "\n\n".join(topics[name] for name in sorted(topics))
    codes = np.frombuffer(text.encode("ascii", "replace"), np.uint8)
    parts: dict[str, list[Any]] = {"train": [], "validation": [], "test": []}
    names = [*["train"] * 7, "validation", *["test"] * 2]
    for number, begin in enumerate(range(0, len(codes), 20_000)):
        passage = codes[begin : begin + 20_000]
        windows = np.lib.stride_tricks.sliding_window_view(passage, BEFORE + 1)
        parts[names[number % 10]].append(windows[::16])
    whole = {name: np.concatenate(part).astype(np.int32) for name, part in parts.items()}
    return {name: (part[:, :-1], part[:, -1]) for name, part in whole.items()}


def build_model(hp: keras_tuner.HyperParameters) -> keras.Model:
    """A layer that embeds each character, and two dense ones that see all of them."""
    return keras.Sequential(
        [
            keras.Input((BEFORE,), dtype="int32"),
            layers.Embedding(CHARACTERS, 16),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(128, activation="relu"),
            layers.Dense(CHARACTERS, activation="softmax"),
        ]
    )
