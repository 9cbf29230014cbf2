"""What Keras, TensorFlow and the user's own code raise, in one line that says what and where."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lrtune._util.failures import own_words, summary, summary_of, whole


class Wrong(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return keras.ops.matmul(self.dense(x), keras.ops.zeros((3, 3)))


def shapes():
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Reshape((2, 2))])


def width():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(np.zeros((8, 5)), np.zeros((8, 3)), verbose=0)


def own_call():
    model = Wrong()
    model.compile("sgd", "mse")
    model.fit(np.zeros((8, 5)), np.zeros((8, 3)), verbose=0)


def in_the_graph():
    layers = [keras.Input((4,)), keras.layers.Embedding(3, 2), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.full((8, 4), 7), np.zeros((8, 1)), verbose=0)


def own():
    raise KeyError("price\n  of \x1b[1mthe\x1b[0m house")


SAID = {
    shapes: "ValueError: The total size of the tensor must be unchanged. Received: ",
    width: "ValueError: Input 0 with name 'None' of layer 'dense",
    own_call: "ValueError: Dimensions must be equal, but are 2 and 3 for ",
    in_the_graph: "InvalidArgumentError: indices[0,0] = 7 is not in [0, 3) (test_failures",
    own: "KeyError: ",
}


@pytest.mark.parametrize("raises", SAID)
def test_an_exception_says_in_one_line_what_is_wrong_and_where(raises):
    with pytest.raises(Exception) as error:  # noqa: PT011 - of many types
        raises()
    line = summary(error.value)
    assert line.startswith(SAID[raises])
    assert "(test_failures.py, line " in line
    assert line.isprintable()
    assert len(line) < 400
    for noise in ("Exception encountered", "Arguments received", "[[{{node", "most recent call"):
        assert noise not in line
    told = whole(error.value)
    assert summary_of(told) == told.splitlines()[0] == line
    assert "Traceback (most recent call last):" in told
    assert raises.__name__ in told


def test_of_a_bare_traceback_the_last_line_counts_and_of_nothing_none():
    assert summary_of("Traceback (most recent call last):\n  File x\nValueError: boom\n") == (
        "ValueError: boom"
    )
    assert summary_of(None) == summary_of(" \n") == ""


def test_an_endless_message_is_cut():
    assert own_words("word " * 1000).endswith("...")
    assert len(own_words("x" * 1000)) == 300
