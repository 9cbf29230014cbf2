"""The reading's cats-vs-dogs CNN, and a loss for one-hot labels or class indices."""

from __future__ import annotations

from typing import Any

import keras
from typing_extensions import override


def cats_vs_dogs_cnn(
    input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 2
) -> keras.Model:
    """The small CNN of the reading, uncompiled: 25,546 weights for 32x32 images of two classes.

    Conv 4, Conv 8 (3x3, relu), max-pool 2x2, dropout .25, dense 16 relu, dropout .5, softmax.

    Args:
        input_shape: height, width, channels; pixels in [0, 1]. Height and width at least 6.
        num_classes: int >= 2.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(num_classes, activation="softmax"),
        ],
        name="cats_vs_dogs",
    )


@keras.saving.register_keras_serializable(package="lrtune")
class CrossEntropy(keras.losses.Loss):  # type: ignore[misc] # Keras has no types
    """Cross-entropy of class probabilities against one-hot labels or class indices.

    Keras has a categorical and a sparse loss and fails late with the wrong one; the labels' shape
    says which is right.

    Attributes:
        one_hot: whether the labels were one-hot, as seen last; None before any were.
    """

    def __init__(self, name: str = "cross_entropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.one_hot: bool | None = None

    @override
    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each image, [batch].

        Args:
            y_true: [batch, classes] probabilities, or [batch] or [batch, 1] class indices.
            y_pred: [batch, classes] probabilities.
        """
        same_rank = len(y_true.shape) == len(y_pred.shape)
        self.one_hot = same_rank and y_true.shape[-1] == y_pred.shape[-1]
        return getattr(keras.losses, loss_name(one_hot=self.one_hot))(y_true, y_pred)


def loss_name(*, one_hot: bool) -> str:
    """Keras' own name of the cross-entropy for such labels."""
    return "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
