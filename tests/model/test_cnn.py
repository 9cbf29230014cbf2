"""The reading's CNN and the loss that takes labels either way."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lrtune.model.cnn import CrossEntropy, cats_vs_dogs_cnn

PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.2, 0.2, 0.6]], "float32")
INDICES = np.array([0, 2, 2])
BY_HAND = -np.log([0.5, 0.125, 0.6])


def test_the_layers_have_the_readings_shapes():
    model = cats_vs_dogs_cnn()
    assert [layer.output.shape[1:] for layer in model.layers] == [
        (30, 30, 4),
        (28, 28, 8),
        (14, 14, 8),
        (14, 14, 8),
        (14 * 14 * 8,),
        (16,),
        (16,),
        (2,),
    ]
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [
        0.25,
        0.5,
    ]
    assert [
        layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")
    ] == [*("relu", "relu", "relu", "softmax")]
    assert not model.compiled


def test_it_has_25546_weights():
    convolutions = (3 * 3 * 3 * 4 + 4) + (3 * 3 * 4 * 8 + 8)
    dense = (14 * 14 * 8 * 16 + 16) + (16 * 2 + 2)
    assert cats_vs_dogs_cnn().count_params() == convolutions + dense == 25_546


def test_the_smallest_image_leaves_one_pixel():
    model = cats_vs_dogs_cnn((6, 6, 1), num_classes=5)
    assert [layer.output.shape[1:] for layer in model.layers[:3]] == [
        (4, 4, 4),
        (2, 2, 8),
        (1, 1, 8),
    ]
    assert model.output_shape == (None, 5)


@pytest.mark.parametrize(
    "labels",
    [
        INDICES,
        INDICES[:, None],
        np.eye(3, dtype="float32")[INDICES],
        INDICES.astype("uint8"),
        INDICES.astype("float32"),
    ],
    ids=["indices", "a column of indices", "one-hot", "bytes", "floats"],
)
def test_cross_entropy_is_the_logarithm_of_the_labels_probability(labels):
    loss = CrossEntropy()
    found = np.asarray(loss.call(keras.ops.array(labels), keras.ops.array(PROBABILITIES)))
    assert found.shape == (3,)
    assert loss.one_hot == (labels.shape == PROBABILITIES.shape)
    assert found == pytest.approx(BY_HAND, rel=1e-6)


def test_cross_entropy_weighs_labels_that_are_probabilities():
    labels = np.array([[0.5, 0.5, 0.0]], "float32")
    loss = CrossEntropy()
    found = np.asarray(loss.call(keras.ops.array(labels), keras.ops.array(PROBABILITIES[:1])))
    assert found == pytest.approx([-(0.5 * np.log(0.5) + 0.5 * np.log(0.25))], rel=1e-6)


def test_cross_entropy_is_saved_with_a_model_under_its_own_name():
    assert keras.saving.get_registered_name(CrossEntropy) == "lrtune>CrossEntropy"
    assert keras.saving.get_registered_object("lrtune>CrossEntropy") is CrossEntropy
