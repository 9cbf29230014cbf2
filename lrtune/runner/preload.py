"""Imported by the server that workers are forked from: everything that each of them needs.

Imports only: TensorFlow's runtime, once started, does not survive a fork.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from lrtune.model.start import UNUSED, import_tensorflow

# The driver reports it when the server ends.
sys.excepthook = lambda *_: None
# An error here would end the server without a word. The workers meet it again and report it.
with suppress(Exception):
    # A callback of the user's may draw with `keras.visualization`; no trial wraps its model for
    # scikit-learn or converts one of JAX.
    import_tensorflow(without=[name for name in UNUSED if name != "matplotlib"])
    import lrtune.runner.serve
    import lrtune.runner.worker  # noqa: F401 - imported for its effect
