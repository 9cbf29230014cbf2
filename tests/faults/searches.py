"""The searches that are disturbed: real Keras Tuner, real training, as small as they can be.

What is here runs in the children. A job is a JSON object, so that "the same command" is the same
object given again.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any

EPOCHS = {"hyperband": 3, "bayesian": 2, "shape": 2, "random": 2}

SABOTAGE = "LRTUNE_FAULTS_SABOTAGE"
"""Environment variable: what goes wrong in workers ("hang", "crash", "always", "short") or in the
search itself ("swallow": Ctrl-C, of which something else is made on its way), a colon, and the file
that marks that it has happened; for "short" the file that counts how often, and for "always" the
momentum of the trial that it happens to.
"""


def job(algo: str, folder: Path, **more: Any) -> dict[str, Any]:
    """A search through `lrtune.tuners`, of a softmax regression on 60 points.

    Args:
        algo: hyperband, bayesian and shape (two points, then the Gaussian process) or random.
        folder: run folder.
        **more: workers, trial_timeout, max_retries, diverging.
    """
    return {"kind": "tuner", "algo": algo, "folder": str(folder), **more}


def command(images: Path, folder: Path, *more: object, algo: str = "random") -> list[str]:
    """Arguments of `lrtune search` for 60 tiny images: 6 trainings of the baseline, 3 trials."""
    trials = () if algo == "hyperband" else ("--max-trials", 3)
    words = ["--algo", algo, "--data", images, "--max-epochs", 2, *trials, "--batch-size", 16]
    return [str(word) for word in (*words, "--objective", "val_loss", "--run-dir", folder, *more)]


def cli(images: Path, folder: Path, *more: object, algo: str = "random") -> dict[str, Any]:
    """The same as a job: the command line's own `main`."""
    where = () if "--workers" in more else ("--in-process",)  # starts faster by seconds
    return {"kind": "cli", "argv": command(images, folder, *where, *more, algo=algo)}


def run(one: dict[str, Any]) -> int:
    """Does a job in this process; returns or raises the exit code."""
    if one["kind"] == "cli":
        from lrtune.__main__ import main

        sys.argv = ["lrtune-search", *one["argv"]]
        main("search")
    from lrtune.errors import LrtuneError

    try:
        tune(one)
    except LrtuneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def tune(one: dict[str, Any]) -> None:
    """Searches with one of `lrtune.tuners`."""
    from lrtune.model.start import start_tensorflow

    start_tensorflow(threads=1)
    import lrtune
    from tests.runner import tiny

    algo = one["algo"]
    diverging = one.get("diverging", False)
    hypermodel = lrtune.ScheduleHyperModel(
        all_diverge if diverging else tiny.build,
        epochs=EPOCHS[algo],
        families=("constant",) if algo == "bayesian" else ("step", "exponential"),
    )
    if algo == "bayesian":
        _search_acquisitions_briefly()
    kind, more = {
        # Truncated, so that states are kept for promotions, which may be damaged or lost.
        "hyperband": (lrtune.Hyperband, {"max_epochs": EPOCHS[algo], "horizon": "truncated"}),
        "bayesian": (lrtune.BayesianOptimization, {"max_trials": 4, "num_initial_points": 2}),
        "shape": (lrtune.ShapeSearch, {"max_trials": 4, "num_initial_points": 2}),
        "random": (lrtune.RandomSearch, {"max_trials": one.get("trials", 3)}),
    }[algo]
    folder = Path(one["folder"])
    tuner = kind(
        hypermodel,
        # Of 20 points ties are common in val_accuracy, and a diverged model has one.
        objective="val_accuracy" if diverging or algo == "random" else "val_loss",
        directory=str(folder.parent),
        project_name=folder.name,
        seed=one.get("seed", 3),
        baseline_seeds=1 if algo == "random" else 0,
        **{name: one.get(name, default) for name, default in _DEFAULTS.items()},
        **more,
    )
    x, y = tiny.points(60)
    # In every search: one with other callbacks is another search.
    tuner.search(x, y, **tiny.fit_kwargs(), verbose=0, callbacks=[saboteur()])


def _search_acquisitions_briefly() -> None:
    """One step from each of Keras Tuner's 50 starting points: to converge takes 1.5 s a search.

    Which point it finds is not what these tests are about, only that it is the same one again.
    """
    from keras_tuner.src.tuners import bayesian

    brief = functools.partial(bayesian.scipy.optimize.minimize, options={"maxiter": 1})
    optimize = types.SimpleNamespace(minimize=brief)
    bayesian.scipy = types.SimpleNamespace(optimize=optimize)


_DEFAULTS = {"workers": 1, "trial_timeout": 3600.0, "max_retries": 2}


def all_diverge(hp: Any) -> Any:
    """A model whose loss is NaN from its first step, so that Hyperband promotes a diverged one."""
    import keras

    nan = keras.initializers.Constant(float("nan"))
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(2, "softmax", kernel_initializer=nan)]
    )


def _swallow() -> None:
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise SystemError("as TensorFlow's C code says") from None


def _hang() -> None:
    while True:
        time.sleep(3600)


def _die_at_first(count: Path, deaths: int) -> None:
    """As if the system was out of memory for a while."""
    with count.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if len(file.read()) < deaths:
            file.write(b".")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)


_HARM = {"crash": lambda: ctypes.string_at(0), "hang": _hang, "swallow": _swallow}


def saboteur() -> Any:
    """A callback that does harm to its process at the second epoch."""
    import keras

    class Saboteur(keras.callbacks.Callback):
        def __init__(self, how: str, what: str, driver: int) -> None:
            super().__init__()
            self.how, self.what, self.driver = how, what, driver

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if (
                self.how == "nothing"
                or epoch != 1
                or (os.getpid() == self.driver) != (self.how == "swallow")
            ):
                return
            if self.how == "always":
                mine = float(self.model.optimizer.momentum)
                if abs(mine - float(self.what)) < 1e-6:
                    os.kill(os.getpid(), signal.SIGKILL)
                return
            if self.how == "short":
                _die_at_first(Path(self.what), 4)
                return
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.what, os.O_CREAT | os.O_EXCL))
                _HARM[self.how]()

    how, _, what = os.environ.get(SABOTAGE, "nothing").partition(":")
    return Saboteur(how, what, os.getpid())
