"""A residual CNN with batch normalization and augmentation, for 32x32 images of two classes.

lrtune search --confirm --model examples/tasks/residual_cnn.py:build_model --max-epochs 18 \
    --families reading,modern --fix weight_decay=5e-4 --fix momentum=0.9
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

if TYPE_CHECKING:
    import keras_tuner


def build_model(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Three residual blocks, each at half the size and twice the filters of the one before."""
    inputs = keras.Input((32, 32, 3))
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomTranslation(0.1, 0.1)(x)
    x = convolution(x, 16)
    for filters in (32, 64, 128):
        x = residual_block(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


def residual_block(x: Any, filters: int) -> Any:
    """Two convolutions beside a projection (He et al., 2016, https://arxiv.org/abs/1512.03385)."""
    shortcut = convolution(x, filters, size=1, strides=2, relu=False)
    x = convolution(x, filters, strides=2)
    x = convolution(x, filters, relu=False)
    return layers.ReLU()(layers.Add()([x, shortcut]))


def convolution(x: Any, filters: int, size: int = 3, strides: int = 1, *, relu: bool = True) -> Any:
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU()(x) if relu else x
