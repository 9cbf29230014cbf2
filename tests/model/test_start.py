"""How TensorFlow is imported: in child processes, as a process imports it once."""

from __future__ import annotations

import subprocess
import sys


def child(code):
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


SMALL_MODEL = """
from keras_tuner.src.tuners import bayesian
print(bayesian.sklearn)
import keras, numpy as np
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
"""


def test_packages_that_are_not_used_are_kept_from_keras_and_can_be_imported_afterwards():
    code = (
        "import sys\n"
        "from lrtune.model.start import UNUSED, import_tensorflow\n"
        "import_tensorflow(without=UNUSED)\n"
        "print([name for name in UNUSED if name in sys.modules])\n"
        + SMALL_MODEL
        + "import sklearn.gaussian_process, matplotlib.pyplot, lrtune.plots.theme\n"
        "print(sklearn.gaussian_process.__name__)"
    )
    assert child(code) == ["[]", "None", "sklearn.gaussian_process"]


def test_packages_that_are_imported_already_stay():
    code = (
        "import sklearn\n"
        "from lrtune.model.start import UNUSED, import_tensorflow\n"
        "import_tensorflow(without=UNUSED)\n"
        "import sys\n"
        "print(sys.modules['sklearn'] is sklearn)"
    )
    assert child(code) == ["True"]


def test_bayesian_search_has_scikit_learn_nevertheless(tmp_path):
    code = (
        "from lrtune.model.start import UNUSED, import_tensorflow\n"
        "import_tensorflow(without=UNUSED)\n"
        "import lrtune\n"
        "model = lrtune.CatsVsDogsHyperModel(epochs=1)\n"
        "lrtune.BayesianOptimization(model, 'val_loss', max_trials=2,"
        f" directory={str(tmp_path)!r})\n"
        "from keras_tuner.src.tuners import bayesian\n"
        "print(bayesian.sklearn.__name__)"
    )
    assert child(code) == ["sklearn"]
