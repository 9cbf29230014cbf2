"""What is recorded of data that a script hands over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lrtune.records.data_record import arrays_of, describe_given, largest_class

X, Y = np.arange(24, dtype="float32").reshape(6, 4), np.arange(6)
VALIDATION = (X[:2], Y[:2])


def fingerprint(*args, **kwargs):
    return describe_given(args, kwargs).fingerprint


def test_equal_arrays_have_equal_fingerprints_whatever_their_memory_layout():
    first = fingerprint(X, Y, validation_data=VALIDATION)
    assert len(first) == 16
    assert first == fingerprint(X.copy(), Y.copy(), validation_data=VALIDATION, batch_size=3)
    assert first == fingerprint(np.asfortranarray(X), Y, validation_data=VALIDATION)


@pytest.mark.parametrize(
    "args", [(X + 1, Y), (X, Y[::-1]), (X.astype("float64"), Y), (X.reshape(6, 2, 2), Y), (X,)]
)
def test_any_changed_value_changes_the_fingerprint(args):
    assert fingerprint(*args, validation_data=VALIDATION) != fingerprint(
        X, Y, validation_data=VALIDATION
    )
    assert fingerprint(X, Y) != fingerprint(X, Y, validation_data=VALIDATION)


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.zeros((6, 8, 8, 3)), "images"),
        (np.zeros((6, 8, 8, 1)), "images"),
        (np.zeros((6, 8, 8, 4)), "images"),
        (np.zeros((6, 8, 8, 2)), "samples"),
        (np.zeros((6, 8, 8)), "samples"),
        (X, "samples"),
        ([np.zeros((6, 8, 8, 3)), X], "samples"),
        (iter([X]), "samples"),
    ],
)
def test_only_arrays_of_pictures_are_images(x, kind):
    assert describe_given((x, Y), {}).kind == kind
    assert describe_given((), {"x": x, "y": Y}).kind == kind


def test_several_inputs_are_counted_by_samples():
    # Inputs of different widths; x before y in a dictionary, or in a list.
    inputs = {"wide": np.zeros((6, 9)), "deep": np.zeros((6, 2, 3, 3)), "a": np.zeros((6, 1))}
    validation = ({name: one[:2] for name, one in inputs.items()}, Y[:2])

    for x, held in ((inputs, validation), ([*inputs.values()], ([*validation[0].values()], Y[:2]))):
        assert describe_given((x, Y), {"validation_data": held}).sizes == {
            "train": 6,
            "validation": 2,
        }


def test_sizes_are_numbers_of_samples():
    record = describe_given(({"a": X, "b": X}, Y), {"validation_data": VALIDATION})
    assert record.sizes == {"train": 6, "validation": 2}
    assert record.source == "given to search()"


@pytest.mark.parametrize("x", [iter([X]), np.array([object()]), [1.0, 2.0]])
def test_data_other_than_arrays_have_no_fingerprint(x):
    assert describe_given((x, Y), {}).fingerprint == ""


def test_a_validation_split_is_part_of_the_sizes():
    record = describe_given((X, Y), {"validation_split": 0.3})
    assert record.sizes == {"train": 4, "validation": 2}  # Keras keeps int(6 * .7)
    both = {"validation_data": VALIDATION, "validation_split": 0.3}  # Keras ignores the split
    assert describe_given((X, Y), both).sizes == {"train": 6, "validation": 2}


def test_columns_of_different_kinds_become_numbers_as_in_keras():
    frame = pd.DataFrame({"area": [1.5, 2.0], "garden": [True, False]})
    np.testing.assert_array_equal(arrays_of(frame), np.float32([[1.5, 1], [2, 0]]))
    missing = pd.Series([3, None], dtype="Int64")
    np.testing.assert_array_equal(arrays_of(missing), np.float32([[3], [np.nan]]))


def test_text_in_a_frame_stays_text():
    for frame in (pd.DataFrame({"city": ["Bonn"], "area": [1.0]}), pd.Series(["Bonn"])):
        assert arrays_of(frame)[0, 0] == "Bonn"


@pytest.mark.parametrize(
    ("labels", "share"),
    [
        (np.array([2, 0, 2, 1, 2]), 0.6),
        (np.array([[1], [0], [1], [1]]), 0.75),
        (np.array([True, False, False, False]), 0.75),
        (np.array([0.0, 1.0, 1.0]), 2 / 3),
        (np.eye(3)[[0, 1, 1, 2]], 0.5),
        (np.array([0.5, 1.2, 1.2]), None),
        (np.array([[0.2, 0.8], [0.5, 0.5]]), None),
        (np.array([[1, 1, 0], [0, 1, 0]]), None),  # several labels each
        (np.zeros((2, 2, 2)), None),
        (np.array(["a", "b"]), None),
        (np.array([], dtype=int), None),
        ({"a": np.array([1, 1])}, None),
        (None, None),
    ],
)
def test_the_share_of_the_largest_class(labels, share):
    assert largest_class(labels) == (share if share is None else pytest.approx(share))


def test_the_largest_class_is_that_of_the_validation_data():
    y = np.array([0, 0, 0, 0, 1, 2])

    assert describe_given((X, y), {"validation_data": (X[:3], y[3:])}).largest_class == (
        pytest.approx(1 / 3)
    )
    # The last int(6 * .5) labels: 0 1 2.
    split = describe_given((), {"x": X, "y": y, "validation_split": 0.5})
    assert split.largest_class == pytest.approx(1 / 3)
    assert describe_given((X, y), {"validation_data": (X[:3],)}).largest_class is None
    assert describe_given((X, y), {}).largest_class is None
