from __future__ import annotations

import hashlib

import numpy as np
import pytest

from lrtune.data.synthetic import load_synthetic
from lrtune.errors import ArgumentError


@pytest.fixture(scope="module")
def pets():
    return load_synthetic(train=600, test=200)


def test_half_the_pets_are_dogs_in_mixed_order(pets):
    assert pets.x_train.shape == (600, 32, 32, 3)
    assert pets.x_test.shape == (200, 32, 32, 3)
    assert pets.x_train.dtype == np.uint8
    assert np.bincount(pets.y_train).tolist() == [300, 300]
    assert np.bincount(pets.y_test).tolist() == [100, 100]
    assert 50 < pets.y_train[:200].sum() < 150
    assert pets.class_names == ("cat", "dog")
    assert pets.source == "synthetic"


def test_odd_sizes_have_one_more_cat():
    assert np.bincount(load_synthetic(train=7, test=2).y_train).tolist() == [4, 3]


def test_a_seed_draws_the_same_pets_and_another_draws_others(pets):
    again = load_synthetic(train=600, test=200)
    np.testing.assert_array_equal(again.x_train, pets.x_train)
    np.testing.assert_array_equal(again.y_test, pets.y_test)
    other = load_synthetic(train=600, test=200, seed=1)
    assert np.any(other.x_train != pets.x_train)


def test_the_pets_are_the_same_on_every_machine(pets):
    """Pinned, because runs record the fingerprint of these images."""
    assert hashlib.sha256(pets.x_train.tobytes()).hexdigest()[:16] == "3f22285d80eb0561"


def test_test_pets_are_not_training_pets(pets):
    seen = {image.tobytes() for image in pets.x_train}
    assert len(seen) == 600
    assert not seen & {image.tobytes() for image in pets.x_test}


def test_brightness_contrast_and_redness_do_not_separate_cats_from_dogs(pets):
    """Only the shapes do."""
    x, dogs = pets.x_train / 255, pets.y_train == 1
    for number in (x.mean((1, 2, 3)), x.std((1, 2, 3)), x[..., 0].mean((1, 2))):
        # Cohen's d; pure chance stays below .25 for 300 against 300 in 499 draws of 500.
        apart = abs(number[dogs].mean() - number[~dogs].mean()) / number.std()
        assert apart < 0.35


@pytest.mark.parametrize(
    ("argument", "least"), [({"train": 1}, 2), ({"test": 0}, 2), ({"seed": -1}, 0)]
)
def test_arguments_outside_their_domain_are_refused(argument, least):
    with pytest.raises(ArgumentError) as error:
        load_synthetic(**argument)
    name, value = next(iter(argument.items()))
    assert str(error.value) == (f"{name} must be an integer >= {least}. Received: {name}={value}.")


# Enough to learn the shapes; 50 epochs take five times as long and add .035 to .065.
EPOCHS = 10


def accuracy(pets, *, lr: float, momentum: float = 0.0, k: float = 0.0) -> float:
    """Train the reading's network for 10 epochs and return its accuracy on the test pets."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(lr, momentum=momentum),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=157,
    )
    history = model.fit(
        np.divide(pets.x_train, 255, dtype=np.float32),
        pets.y_train,
        batch_size=64,
        epochs=EPOCHS,
        validation_data=(np.divide(pets.x_test, 255, dtype=np.float32), pets.y_test),
        validation_freq=EPOCHS,
        callbacks=[keras.callbacks.LearningRateScheduler(lambda e, _: float(lr * np.exp(-k * e)))],
        verbose=0,
    )
    return history.history["val_accuracy"][-1]


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_good_rates_learn_the_pets_and_a_poor_one_falls_behind():
    pets = load_synthetic()
    constant, exponential = (
        accuracy(pets, lr=0.1),
        accuracy(pets, lr=0.1, momentum=0.8, k=0.1),
    )
    assert 0.7 < constant < 0.9
    assert 0.7 < exponential < 0.9
    assert accuracy(pets, lr=1e-4) < min(constant, exponential) - 0.15
