from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest

from lrtune.data.files import load_npz
from lrtune.errors import DataError


@pytest.fixture
def save(tmp_path, arrays):
    """Write the good arrays, some of them replaced; a value of None leaves a key out."""

    def write(**changes):
        path = tmp_path / "pets.npz"
        merged = {**arrays, **changes}
        np.savez(path, **{key: value for key, value in merged.items() if value is not None})
        return path

    return write


def message(path) -> str:
    with pytest.raises(DataError) as error:
        load_npz(path)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_uint8_images_come_back_as_written(save, arrays):
    raw = load_npz(save())
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(raw, key), array)
    assert raw.x_train.dtype == np.uint8
    assert raw.y_train.dtype == np.int64
    assert raw.class_names == ("0", "1")
    assert raw.source == "pets.npz"


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_of_any_integer_dtype_may_be_a_column(save, arrays, dtype):
    raw = load_npz(
        save(**{key: arrays[key].astype(dtype)[:, None] for key in ("y_train", "y_test")})
    )
    np.testing.assert_array_equal(raw.y_train, arrays["y_train"])
    assert raw.y_train.dtype == raw.y_test.dtype == np.int64


def test_labels_with_gaps_become_indices_and_remain_as_names(save, arrays):
    raw = load_npz(save(y_train=arrays["y_train"] * 2 + 3, y_test=arrays["y_test"] * 2 + 3))
    np.testing.assert_array_equal(raw.y_train, arrays["y_train"])
    np.testing.assert_array_equal(raw.y_test, arrays["y_test"])
    assert raw.class_names == ("3", "5")


def test_class_names_of_the_file_are_used_in_the_order_of_the_labels(save):
    assert load_npz(save(class_names=np.array(["cat", "dog"]))).class_names == ("cat", "dog")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_up_to_one_are_kept(save, arrays, dtype):
    unit = {key: (arrays[key] / 255).astype(dtype) for key in ("x_train", "x_test")}
    raw = load_npz(save(**unit))
    np.testing.assert_array_equal(raw.x_train, unit["x_train"].astype(np.float32))
    assert raw.x_train.dtype == raw.x_test.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_beyond_one_are_divided_by_255_in_both_parts(save, arrays, dtype):
    # The test images alone could pass for pixels from 0 to 1: the parts are judged together.
    dark = np.ones_like(arrays["x_test"], dtype=dtype)
    raw = load_npz(save(x_train=arrays["x_train"].astype(dtype), x_test=dark))
    np.testing.assert_allclose(raw.x_train, arrays["x_train"] / 255, rtol=0, atol=6e-8)
    np.testing.assert_allclose(raw.x_test, dark / 255.0, rtol=0, atol=1e-6)


def test_greyscale_images_get_a_channel(save, arrays):
    raw = load_npz(save(x_train=arrays["x_train"][..., 0], x_test=arrays["x_test"][..., :1]))
    assert raw.x_train.shape == (20, 4, 5, 1)
    assert raw.x_test.shape == (6, 4, 5, 1)


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none.npz"
    assert message(path) == f"{path}: no such file"


@pytest.mark.parametrize("content", [b"", b"no zip at all", pickle.dumps([1, 2, 3])])
def test_a_file_that_is_not_an_npz_is_refused(tmp_path, content):
    path = tmp_path / "pets.npz"
    path.write_bytes(content)
    assert message(path) == (
        f"{path}: must be an .npz file of x_train, y_train, x_test, y_test, as numpy.savez writes "
        "it, but it cannot be read (File is not a zip file)"
    )


@pytest.mark.parametrize(("key", "kind"), [("y_train", "numbers"), ("class_names", "dtype str")])
def test_pickled_arrays_are_never_loaded(save, key, kind):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("a pickle was loaded",)

    path = save(**{key: np.array([Bomb(), Bomb()], dtype=object)})
    assert message(path) == (
        f"pets.npz: {key} must be an array of {kind}. "
        "Received: pickled Python objects, which can run code when loaded"
    )


def test_missing_keys_are_listed_with_those_found(save):
    assert message(save(y_train=None, x_test=None)) == (
        "pets.npz: y_train, x_test missing. The file must hold x_train, y_train, x_test, y_test. "
        "Received: x_train, y_test"
    )


def test_a_changed_byte_is_damage(save):
    path = save()
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("x_train.npy").header_offset
    content[start + 400] ^= 255  # past the header of some 200 bytes, in the pixels
    path.write_bytes(content)
    assert message(path) == "pets.npz: x_train is damaged (Bad CRC-32 for file 'x_train.npy')"


def test_a_torn_file_is_refused(save):
    path = save()
    path.write_bytes(path.read_bytes()[:-30])
    assert message(path).startswith(f"{path}: must be an .npz file of ")


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.zeros((20, 4, 5, 3), np.int64), "must be uint8 or float. Received: int64"),
        (np.zeros((20, 4, 5, 3), complex), "must be uint8 or float. Received: complex128"),
        (
            np.zeros((20, 60), np.uint8),
            (
                "must be [images, height, width, channels] or [images, height, width]. "
                "Received: shape (20, 60)"
            ),
        ),
        (
            np.zeros((0, 4, 5, 3), np.uint8),
            "must hold at least one image of one pixel. Received: (0, 4, 5, 3)",
        ),
        (
            np.zeros((20, 3, 32, 32), np.uint8),
            "must have 1 to 4 channels, as its last axis. Received: (20, 3, 32, 32)",
        ),
        (
            np.full((20, 4, 5, 3), -0.5),
            "must hold floats from 0 to 1 or from 0 to 255. Received: from -0.5 to -0.5",
        ),
        (
            np.full((20, 4, 5, 3), 300, np.float32),
            "must hold floats from 0 to 1 or from 0 to 255. Received: from 300 to 300",
        ),
    ],
)
def test_images_of_the_wrong_kind_are_refused(save, x, expected):
    assert message(save(x_train=x)) == f"pets.npz: x_train {expected}"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_counted_and_located(save, arrays, bad):
    x = arrays["x_train"] / 255
    x[3, 0, 0, 0] = x[3, 1, 1, 1] = x[9, 0, 0, 0] = bad
    assert message(save(x_train=x)) == (
        "pets.npz: x_train must hold finite pixels. Received: NaN or infinity in 2 of 20 images, "
        "the first at index 3"
    )


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.zeros(20), "must be of an integer dtype. Received: float64"),
        (np.array(["cat"] * 20), "must be of an integer dtype. Received: <U3"),
        (
            np.zeros((20, 2), int),
            (
                "must hold one class number per image, as [n] or [n, 1], not one-hot rows. "
                "Received: shape (20, 2)"
            ),
        ),
        (
            np.zeros(19, int),
            "must hold one label for each of the 20 images of x_train. Received: 19",
        ),
        (np.full(20, 7), "must hold 2 classes or more. Received: only label 7"),
    ],
)
def test_labels_of_the_wrong_kind_are_refused(save, y, expected):
    assert message(save(y_train=y)) == f"pets.npz: y_train {expected}"


def test_test_images_of_another_shape_are_refused(save):
    assert message(save(x_test=np.zeros((6, 8, 8, 3), np.uint8))) == (
        "pets.npz: x_test must hold images of the same shape as x_train, (4, 5, 3). "
        "Received: (8, 8, 3)"
    )


def test_test_labels_missing_from_the_training_labels_are_named(save):
    assert message(save(y_test=np.array([0, 1, 2, 9, 9, 0]))) == (
        "pets.npz: y_test must hold only labels that y_train has too. Received: 2, 9"
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (np.array([1, 2]), "must be a list of strings. Received: int64, shape (2,)"),
        (
            np.array(["cat", "dog", "emu"]),
            "must be 2 different names, one for each label of y_train. Received: cat, dog, emu",
        ),
        (
            np.array(["cat", "cat"]),
            "must be 2 different names, one for each label of y_train. Received: cat, cat",
        ),
    ],
)
def test_class_names_of_the_wrong_kind_are_refused(save, names, expected):
    assert message(save(class_names=names)) == f"pets.npz: class_names {expected}"
