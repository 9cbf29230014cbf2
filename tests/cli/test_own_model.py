"""A user's own model and data, from the command line: searched, resumed, confirmed, refused."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lrtune
from tests.cli.command import Ended, called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Call = Callable[..., Ended]

MINE = """
import keras
import numpy as np
import tensorflow as tf

import beside


def plain(hp):
    units = hp.Choice("units", [2, 3])
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, "relu"),
                             keras.layers.Dense(1)])


def compiled(hp):
    model = plain(hp)
    model.compile(keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    return model


def part(count, seed):
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return x, x.sum(axis=1) * beside.SLOPE


def arrays():
    return {"train": part(40, 0), "validation": part(16, 1), "test": part(24, 2)}


def weighted():
    x, y = part(40, 0)
    return (x, y, np.ones(40)), part(16, 1), part(24, 2)


def batches():
    parts = arrays().items()
    made = {name: tf.data.Dataset.from_tensor_slices(one).batch(8) for name, one in parts}
    return {**made, "train": made["train"].shuffle(5)}


def untested():
    return part(40, 0), part(16, 1)


def fails(*hp):
    raise ValueError("no such\\n   column")


def number():
    return 3


def pair():
    return part(40, 0)


def misspelt():
    return {"train": part(40, 0), "val": part(16, 1)}
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch) -> Iterator[str]:
    """A file of the user's, whose neighbour it imports."""
    folder = tmp_path / "users"
    folder.mkdir()
    (folder / "mine.py").write_text(MINE)
    (folder / "beside.py").write_text("SLOPE = 0.5\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield str(folder / "mine.py")
    for name in ("mine", "beside"):
        sys.modules.pop(name, None)


@pytest.fixture
def search(mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def one(
        model: str = "plain", data: str = "arrays", *arguments: object, folder: str = "run"
    ) -> Ended:
        return called(
            capsys,
            "search",
            *("--algo", "random", "--max-trials", 2, "--max-epochs", 2, "--workers", 1),
            *("--baseline-budget", 0, "--families", "linear,step", "--in-process"),
            *("--model", f"{mine}:{model}", "--data", f"{mine}:{data}"),
            *("--run-dir", tmp_path / folder, *arguments),
        )

    return one


def test_a_model_and_data_are_searched_resumed_and_confirmed(
    search: Call, mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    ended = search("plain", "arrays", "--loss", "mse", "--metrics", "mae,r2_score")
    assert ended.returncode == 0, ended.stderr
    assert "40 to train, 16 to validate, 24 test samples left untouched." in ended.stdout
    assert "units=" in ended.stdout
    run = lrtune.load_run(tmp_path / "run")
    manifest = run.records.manifest
    assert (manifest.objective, manifest.direction) == ("val_loss", "min")
    assert manifest.batch_size == 64
    assert {"val_mae", "val_r2_score"} <= {*run.epochs("0")}

    again = search("plain", "arrays", "--loss", "mse", "--metrics", "mae,r2_score")
    assert "is finished; --overwrite starts a new one." in again.stdout
    other = search("plain", "arrays", "--loss", "mae", "--metrics", "mae,r2_score")
    assert other.returncode == 2
    assert "holds another search: loss mse, now mae. " in other.stderr

    confirmed = called(capsys, "confirm", tmp_path / "run", "--max-seeds", 4, "--in-process")
    assert confirmed.returncode == 0, confirmed.stderr
    assert "each on 56 samples (train+validation)" in confirmed.stdout
    assert set(lrtune.load_run(tmp_path / "run").comparison()["n"]) == {4}


def test_a_compiled_model_is_confirmed_on_data_in_batches(
    search: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    ended = search("compiled", "batches")
    assert ended.returncode == 0, ended.stderr
    assert "constant-0.01" in ended.stdout  # the rate that the model came with
    confirmed = called(capsys, "confirm", tmp_path / "run", "--max-seeds", 4, "--in-process")
    assert confirmed.returncode == 0, confirmed.stderr
    confirmation = lrtune.load_run(tmp_path / "run").records.confirmation
    assert confirmation is not None
    assert confirmation.manifest.train_on == "train"


def test_what_a_search_trains_is_what_a_script_would(search: Call, mine: str, tmp_path: Path):
    """The same search through the API, with the same arrays, to the last bit."""
    assert search("compiled", "weighted").returncode == 0
    module: Any = sys.modules["mine"]
    train, validation, _ = module.weighted()
    tuner = lrtune.RandomSearch(
        lrtune.ScheduleHyperModel(module.compiled, epochs=2, families=["linear", "step"]),
        objective="val_loss",
        max_trials=2,
        seed=1,
        baseline_budget=0,
        directory=tmp_path,
        project_name="script",
        workers=1,
    )
    x, y, weights = train
    data = {"validation_data": validation, "sample_weight": weights}
    tuner.search(x, y, **data, batch_size=64, verbose=0)
    typed, scripted = (
        [one.score for one in lrtune.load_run(tmp_path / name).records.outcomes]
        for name in ("run", "script")
    )
    assert typed == scripted


def test_workers_train_a_model_that_only_its_file_knows(search: Call, tmp_path: Path, mine: str):
    from lrtune.model.named import named_hypermodel
    from lrtune.records.task import TrainingJob
    from lrtune.runner.exchange import read_job, write_job
    from lrtune.search.given import of_function

    given = of_function("--data", f"{mine}:batches")
    hypermodel = named_hypermodel(f"{mine}:plain", given.train, epochs=1, loss="mse")
    write_job(tmp_path, TrainingJob(hypermodel, given.train, given.search_kwargs))
    for name in ("mine", "beside"):
        del sys.modules[name]
    sys.path[:] = [one for one in sys.path if one != str(tmp_path / "users")]
    (tmp_path / "users" / "mine.py").unlink()  # edited or gone while the search runs
    sys.path.append(str(tmp_path / "users"))
    job = read_job(tmp_path)
    (made,) = (one() for one in job.fit_args)
    assert sum(len(x) for x, _ in made) == 40


REFUSED = {
    ("missing.py:plain", "arrays"): "--model must name a file that is there. Received: ",
    ("nothing", "arrays"): "mine.py has no function nothing, but plain, compiled, part, arrays",
    ("fails", "arrays"): "mine.py:fails(hp) failed: ValueError: no such column (mine.py, line ",
    ("plain", "fails"): "mine.py:fails() failed: ValueError: no such column (mine.py, line ",
    ("plain", "number"): "must return a dictionary such as {'train': (x, y), 'validation': ",
    ("plain", "pair"): "Received: train that is no pair (x, y).",
    ("plain", "misspelt"): "may return train, validation, test, class_weight, ",
    ("plain", "arrays"): "loss must be given: the model's output has one unit, ",
}


@pytest.mark.parametrize(("given", "message"), REFUSED.items(), ids=str)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(search: Call, given, message: str):
    model, data = given
    ended = search(model, data)
    assert ended.returncode == 2
    assert ended.stderr.startswith("lrtune search: ")
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--loss", "mee"), "loss must be known to Keras, like 'mse'. Received: 'mee'."),
        (("--loss", "mse", "--metrics", "mee"), "metrics must be known to Keras, like 'mae'."),
        (("--loss", "mse", "--objective", "val_mae"), "objective must be what the model measures"),
        (("--loss", "mse", "--objective", "gain"), "gain:max or gain:min"),
        (("--loss", "mse", "--try", "step lr0=0.1 depth=2"), "depth"),
    ],
)
def test_an_option_that_does_not_suit_the_model_is_named(search: Call, arguments, message: str):
    ended = search("plain", "arrays", *arguments)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert message in ended.stderr


def test_without_test_data_nothing_is_confirmed(
    search: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert search("compiled", "untested").returncode == 0
    ended = called(capsys, "confirm", tmp_path / "run")
    assert ended.returncode == 2
    assert "must return test data to compare the arms on: a part named 'test'" in ended.stderr


def test_a_syntax_error_is_told_with_its_line_before_tensorflow_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "typo.py").write_text("import keras\ndef build(hp)\n    pass\n")
    ended = called(capsys, "search", "--model", f"{tmp_path / 'typo.py'}:build")
    assert ended.returncode == 2
    assert "typo.py, line 2 is no Python: expected ':'" in ended.stderr
    assert "Starting" not in ended.stdout


def test_the_command_to_resume_names_the_model_and_the_data(mine: str, tmp_path: Path):
    from lrtune.cli.options import Options, command_line

    options = Options(model=f"{mine}:plain", data=f"{mine}:arrays", loss="mse", run_dir=tmp_path)
    words = command_line(options).split()
    assert words[words.index("--model") + 1] == f"{mine}:plain"
    assert words[words.index("--data") + 1] == f"{mine}:arrays"
    assert words[words.index("--loss") + 1] == "mse"


def test_sample_weights_are_those_of_training_and_validation(search: Call, tmp_path: Path):
    from lrtune.confirmation.material import loaded_material

    assert search("compiled", "weighted").returncode == 0
    manifest = lrtune.load_run(tmp_path / "run").records.manifest
    material = loaded_material(manifest, None, "train+validation")
    assert [len(one) for one in material.fit_args] == [56, 56]
    assert np.array_equal(material.fit_kwargs["sample_weight"], np.ones(56))
    assert material.record.sizes == {"train": 56, "test": 24}
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data"]["argument"].endswith(
        "mine.py:weighted"
    )
