"""A hypermodel that goes astray in its worker."""

from __future__ import annotations

import os
import signal

import keras_tuner


class Astray(keras_tuner.HyperModel):
    """Does what its values say, in the worker."""

    def build(self, hp):
        what = hp.values["what"]
        if what == "hang":
            while True:
                signal.pause()
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        raise RuntimeError(what)
