"""GPUs without one: what processes are told, in child processes where they cannot be told twice.

Where a machine has GPUs, TensorFlow's list of devices is what these tests pretend it to be.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import keras
import keras_tuner
import pytest

from lrtune.errors import ArgumentError
from lrtune.model import gpus
from lrtune.model.hypermodel import ScheduleHyperModel
from lrtune.records.task import TrainingJob
from lrtune.runner import RunOptions, make_runner
from lrtune.runner.local import LocalRunner, physical_cores
from tests.contracts.test_runner_contract import run, schedule_job, task
from tests.runner import tiny

# A machine with two GPUs. Their context would need them, so nothing may start the runtime after
# they are looked for, unless they are hidden.
TWO_GPUS = """
import os
from tensorflow.python import pywrap_tfe
real = pywrap_tfe.TF_ListPhysicalDevices
def devices():
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return [*real(), *([] if hidden else [b"/physical_device:GPU:0", b"/physical_device:GPU:1"])]
pywrap_tfe.TF_ListPhysicalDevices = devices
import tensorflow as tf
from tensorflow.python.eager.context import context
from lrtune.model.gpus import are_hidden, gpus, prepare_gpus
"""


def child(code, **variables):
    """What a new process prints, without lrtune's variables of this one."""
    ours = (gpus.GROWTH, "CUDA_VISIBLE_DEVICES")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**kept, **variables}
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_gpus_have_the_names_that_the_user_gave_them(monkeypatch):
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [kind] * 2)
    for visible, names in {
        None: ["0", "1"],
        "3,1": ["3", "1"],
        "GPU-8932f937,MIG-b6ea1c2d": ["GPU-8932f937", "MIG-b6ea1c2d"],
        "0,2,-1,1": ["0", "2"],  # CUDA stops at the first that is none
    }.items():
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpus.gpus() == names
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: [])
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert gpus.gpus() == []


def test_the_driver_counts_the_gpus_and_sees_none_and_the_runtime_has_not_started():
    code = (
        "prepare_gpus(workers=True)\n"
        "print(gpus(), are_hidden(), tf.config.get_visible_devices('GPU'),"
        " context()._context_handle)\n"
        "tf.constant(0)\n"  # with a GPU in its list, this would fail here
        "print([one.device_type for one in tf.config.list_logical_devices()])"
    )
    assert child(TWO_GPUS + code).splitlines() == ["['0', '1'] True [] None", "['CPU']"]


def test_a_process_that_trains_by_itself_sees_the_gpus_and_takes_memory_as_it_needs_it():
    code = (
        "prepare_gpus(workers=False)\n"
        "print(len(tf.config.get_visible_devices('GPU')), are_hidden(), context()._context_handle,"
        " os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"
    )
    assert child(TWO_GPUS + code) == "2 False None true"
    assert child(TWO_GPUS + code, TF_FORCE_GPU_ALLOW_GROWTH="false") == "2 False None false"


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpus_that_the_user_hides_are_neither_counted_nor_said_to_be_hidden(hidden):
    code = "prepare_gpus(workers=True)\nprint(gpus(), are_hidden())"
    assert child(TWO_GPUS + code, CUDA_VISIBLE_DEVICES=hidden) == "[] False"


def test_a_runtime_that_holds_the_gpus_memory_already_is_said(monkeypatch):
    def refuse(devices, kind):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr("tensorflow.config.set_visible_devices", refuse)
    monkeypatch.setattr("tensorflow.config.get_visible_devices", lambda kind: ["a GPU"])
    grows = {"a GPU": None}
    monkeypatch.setattr("tensorflow.config.experimental.get_memory_growth", grows.get)
    monkeypatch.delenv(gpus.GROWTH, raising=False)
    said = (
        "TensorFlow has started in this process and may hold all memory of its GPUs, which the "
        "workers need. Create the tuner before anything else uses TensorFlow, or set "
        "TF_FORCE_GPU_ALLOW_GROWTH=true."
    )
    with pytest.warns(UserWarning, match=re.escape(said) + "$"):
        gpus.prepare_gpus(workers=True)
    grows["a GPU"] = True
    monkeypatch.delenv(gpus.GROWTH)
    gpus.prepare_gpus(workers=True)  # a warning would be an error


def test_the_server_that_workers_are_forked_from_looks_for_no_device():
    # Else every worker would have its list, whatever CUDA_VISIBLE_DEVICES says to it.
    code = (
        "import lrtune.runner.preload\n"
        "from tensorflow.python.eager.context import context\n"
        "print(context()._physical_devices, context()._context_handle)"
    )
    assert child(code) == "None None"


@pytest.mark.long  # three processes that start TensorFlow
def test_several_workers_share_each_gpu_and_take_memory_as_they_need_it(monkeypatch):
    for module in ("lrtune.model.gpus", "lrtune.runner.local"):
        monkeypatch.setattr(f"{module}.gpus", lambda: ["5", "MIG-7"])
    monkeypatch.delenv(gpus.GROWTH, raising=False)

    class Tells(keras_tuner.HyperModel):
        def build(self, hp):
            names = ("CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH")
            raise RuntimeError(" ".join(os.environ[name] for name in names))

    with make_runner(TrainingJob(Tells(), (), {}), RunOptions(workers_per_gpu=2)) as runner:
        assert (type(runner), runner.slots) == (LocalRunner, 4)
        assert list(runner._devices) == ["5", "MIG-7", "5", "MIG-7"]
        outcomes = run(runner, *(task(f"{number}", {}) for number in range(3)))
    told = [outcome.message.strip().splitlines()[-1] for outcome in outcomes]
    expected = ["RuntimeError: 5 true", "RuntimeError: MIG-7 true", "RuntimeError: 5 true"]
    assert told == expected


def test_without_a_gpu_workers_per_gpu_is_said_to_change_nothing():
    told = []
    with make_runner(schedule_job(), RunOptions(workers_per_gpu=4), told.append) as runner:
        assert runner.slots == physical_cores()
    (said,) = told
    assert said == (
        "workers_per_gpu=4 changes nothing: TensorFlow finds no GPU, so the workers train on the "
        "CPU."
    )


@pytest.mark.parametrize("number", [0, True, 1.5, "2"])
def test_an_invalid_number_of_workers_per_gpu_is_refused(number):
    with pytest.raises(ArgumentError) as error:
        RunOptions(workers_per_gpu=number)
    assert str(error.value) == (
        f"workers_per_gpu must be an integer >= 1. Received: workers_per_gpu={number!r}."
    )


def test_one_process_cannot_share_a_gpu():
    with pytest.raises(ArgumentError) as error:
        RunOptions(in_process=True, workers_per_gpu=2)
    assert str(error.value) == (
        "in_process trains one trial at a time, so workers_per_gpu must be 1 or left out. "
        "Received: workers_per_gpu 2."
    )


@pytest.mark.parametrize("jit", [True, False])
def test_a_model_is_compiled_by_xla_if_the_user_says_so(jit):
    def build(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=jit)
        return model

    seen = []

    class Sees(keras.callbacks.Callback):
        def __deepcopy__(self, memo):
            return self

        def on_train_begin(self, logs=None):
            seen.append(self.model.jit_compile)

    hypermodel = ScheduleHyperModel(build, epochs=tiny.EPOCHS)
    job = TrainingJob(hypermodel, tiny.points(), {**tiny.fit_kwargs(), "callbacks": [Sees()]})
    with make_runner(job, RunOptions(1)) as runner:
        outcomes = run(
            runner, *(task(name, {"schedule": "constant", "lr0": 0.1}, last=1) for name in "ab")
        )
    assert [outcome.status for outcome in outcomes] == ["completed"] * 2
    assert seen == [jit, jit]
