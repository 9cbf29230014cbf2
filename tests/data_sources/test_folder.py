from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lrtune.data.folder import load_folder
from lrtune.errors import ArgumentError, DataError


def paint(path, colour=(200, 100, 50), size=(32, 32), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


@pytest.fixture
def pets(tmp_path):
    """Ten images per class: cats all (10, 20, 30), dogs all (200, 100, 50)."""
    folder = tmp_path / "pets"
    for i in range(10):
        paint(folder / "cat" / f"{i}.png", (10, 20, 30))
        paint(folder / "dog" / f"{i}.png", (200, 100, 50))
    return folder


def load(folder, **options):
    return load_folder(folder, notify=pytest.fail, **options)


def message(folder) -> str:
    with pytest.raises(DataError) as error:
        load(folder)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_classes_are_named_after_their_folders_and_a_fifth_becomes_the_test_part(pets):
    raw = load(pets)
    assert raw.class_names == ("cat", "dog")
    assert raw.source == "pets/"
    assert np.bincount(raw.y_train).tolist() == [8, 8]
    assert np.bincount(raw.y_test).tolist() == [2, 2]
    colours = np.array([[10, 20, 30], [200, 100, 50]], dtype=np.uint8)
    for x, y in ((raw.x_train, raw.y_train), (raw.x_test, raw.y_test)):
        np.testing.assert_array_equal(x, np.broadcast_to(colours[y][:, None, None], x.shape))


def test_a_folder_with_train_and_test_is_not_split_again(tmp_path):
    for part, n in (("train", 3), ("test", 2)):
        for index, name in enumerate(("cat", "dog")):
            for i in range(n):
                paint(tmp_path / part / name / f"{i}.png", (index, i, n))
    raw = load(tmp_path)
    assert raw.x_train[:, 0, 0].tolist() == [[c, i, 3] for c in (0, 1) for i in range(3)]
    assert raw.x_test[:, 0, 0].tolist() == [[c, i, 2] for c in (0, 1) for i in range(2)]
    assert raw.y_test.tolist() == [0, 0, 1, 1]


def test_two_classes_called_train_and_test_are_classes(tmp_path):
    for name in ("train", "test"):
        for i in range(5):
            paint(tmp_path / name / f"{i}.png")
    assert load(tmp_path).class_names == ("test", "train")


def test_sub_folders_beside_train_and_test_are_reported_as_unused(tmp_path, notices):
    for part in ("train", "test", "val"):
        for name in ("cat", "dog"):
            paint(tmp_path / part / name / "0.png")
    raw = load_folder(tmp_path, notify=notices.append)
    assert (len(raw.x_train), len(raw.x_test)) == (2, 2)
    assert notices == [f"{tmp_path}: only train and test are used, not val"]


def test_images_of_any_size_and_mode_become_rgb_of_one_size(pets):
    paint(pets / "cat" / "grey.png", 77, (50, 20), "L")
    paint(pets / "cat" / "palette.gif", 3, (9, 9), "P", transparency=3)
    paint(pets / "cat" / "palette.png", 3, (9, 9), "P", transparency=b"\x01\x02\x03\x04")
    paint(pets / "cat" / "alpha.png", (1, 2, 3, 4), (64, 64), "RGBA")
    paint(pets / "cat" / "PHOTO.JPG", (90, 90, 90), (100, 80))
    raw = load(pets, image_size=(8, 16))
    assert raw.x_train.shape[1:] == raw.x_test.shape[1:] == (8, 16, 3)
    assert len(raw.x_train) + len(raw.x_test) == 25


def test_a_photograph_stored_sideways_is_turned_upright(pets):
    sideways = Image.new("RGB", (32, 32), (255, 0, 0))
    sideways.paste((0, 0, 255), (0, 0, 16, 32))  # its left half is blue
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees: left becomes top
    sideways.save(pets / "dog" / "0.png", exif=exif)
    raw = load(pets)
    x, y = np.concatenate([raw.x_train, raw.x_test]), np.concatenate([raw.y_train, raw.y_test])
    turned = x[(y == 1) & (x[:, 0, 0] != [200, 100, 50]).any(axis=-1)]
    assert turned[0, 0, :, 2].tolist() == [255] * 32
    assert turned[0, -1, :, 0].tolist() == [255] * 32


def test_hidden_files_and_files_of_other_kinds_are_skipped(pets):
    (pets / ".git").mkdir()
    (pets / "__MACOSX").mkdir()
    (pets / "README.txt").write_text("pets")
    (pets / "cat" / "notes.txt").write_text("a cat")
    (pets / "cat" / "._0.png").write_bytes(b"\0")
    raw = load(pets)
    assert raw.class_names == ("cat", "dog")
    assert len(raw.x_train) + len(raw.x_test) == 20


def test_a_folder_without_two_classes_is_refused(tmp_path):
    assert message(tmp_path) == (
        f"{tmp_path}: must hold 2 sub-folders or more, one per class of images. Received: none"
    )
    paint(tmp_path / "cat" / "0.png")
    assert message(tmp_path) == (
        f"{tmp_path}: must hold 2 sub-folders or more, one per class of images. Received: cat"
    )


def test_a_class_without_images_is_named(pets):
    (pets / "emu").mkdir()
    assert message(pets) == (
        f"{pets / 'emu'}: holds no image. A class needs files that end in "
        ".png, .jpg, .jpeg, .bmp, .gif, .webp, .ppm, .pgm, .tif, .tiff"
    )


def test_a_class_too_small_to_split_is_named_with_its_count(pets):
    paint(pets / "emu" / "0.png")
    assert message(pets) == (
        f"{pets}: class 'emu' must have at least 2 images, so that one can be split off for the "
        "test part. Received: 1"
    )


def test_test_classes_missing_from_the_training_classes_are_named(tmp_path):
    for name in ("train/cat", "train/dog", "test/cat", "test/emu"):
        paint(tmp_path / name / "0.png")
    assert message(tmp_path) == (
        f"{tmp_path / 'test'}: must hold only classes that {tmp_path / 'train'} has too. "
        "Received: emu"
    )


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff"])
def test_a_torn_image_is_named(pets, suffix):
    path = pets / "cat" / f"torn.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:200])
    assert message(pets).startswith(f"{path}: cannot be decoded as an image (")


def test_a_file_that_is_not_an_image_is_named(pets):
    path = pets / "cat" / "a.png"
    path.write_text("meow")
    assert message(pets) == (
        f"{path}: cannot be decoded as an image (cannot identify image file it)"
    )


def test_sixteen_bits_per_channel_are_refused_rather_than_clipped(pets):
    path = pets / "cat" / "deep.png"
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(path)
    assert message(pets) == f"{path}: must have 8 bits per channel. Received: Pillow's mode 'I;16'"


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


@pytest.mark.parametrize(
    ("side", "refusal"),
    [
        (8_000, "must have at most 50 megapixels. Received: 8000 x 8000"),
        (10_000, "must have at most 50 megapixels. Received: 10000 x 10000"),
        (60_000, "cannot be decoded as an image (Image size (3600000000 pixels) exceeds limit of"),
    ],
)
def test_a_decompression_bomb_is_refused_by_its_header(pets, side, refusal):
    path = pets / "cat" / "bomb.png"
    path.write_bytes(png_header(side, side))
    assert message(pets).startswith(f"{path}: {refusal}")


def test_a_folder_that_cannot_be_read_is_named(pets, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    assert message(pets) == f"{pets}: the folder cannot be read (Permission denied)"


@pytest.mark.parametrize("size", [(0, 32), (32, -1), (32,)])
def test_an_image_size_outside_its_domain_is_refused(pets, size):
    with pytest.raises(ArgumentError) as error:
        load(pets, image_size=size)
    assert str(error.value) == f"image_size must be (height, width), both >= 1. Received: {size}"
