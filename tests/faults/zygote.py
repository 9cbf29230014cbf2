"""A fork server: a process that has imported TensorFlow, from which searches are forked.

TensorFlow's import takes 4 to 7 s, a search of some tiny trials one or two: so the hundreds of
searches that are killed are forked from one process that has imported everything and has run
nothing. Each is a process of its own, with its own environment, output and working folder, and is
really killed.

Run as `python -m tests.faults.zygote` it reads jobs, a JSON object a line, and answers each with
its process number and, when that has ended, with its exit code.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from lrtune.report import page
from tests.faults.outputs import OUTPUTS


def main() -> int:
    """Serves until the input ends; returns an exit code, in the server and in each child."""
    _import_all()
    _say({"ready": True})
    running: dict[int, int] = {}
    buffer = b""
    while True:
        if select.select([0], [], [], 0.01 if running else None)[0]:
            read = os.read(0, 1 << 20)
            if not read:
                break
            *lines, buffer = (buffer + read).split(b"\n")
            for line in lines:
                request = json.loads(line)
                process = os.fork()
                if process == 0:
                    return _child(request)
                running[process] = request["id"]
                _say({"id": request["id"], "process": process})
        while running:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            _say({"id": running.pop(process), "code": os.waitstatus_to_exitcode(status)})
    for process in running:  # whoever asked is gone
        os.killpg(process, signal.SIGKILL)
    return 0


def _import_all() -> None:
    import gc

    # All that a search imports on its way; no TensorFlow operation may run here, for it would start
    # threads, which a fork loses.
    import keras
    import keras_tuner
    import pandas as pd
    import psutil
    import scipy.optimize
    import sklearn.gaussian_process
    import tensorflow as tf

    import lrtune.cli.search
    import lrtune.data
    import lrtune.display
    import lrtune.report.page
    import lrtune.report.terminal
    import lrtune.runner.local
    import lrtune.runner.worker
    import lrtune.search.bayesian
    import lrtune.search.hyperband
    import lrtune.search.random
    import lrtune.search.shape
    import tests.runner.tiny

    gc.collect()
    gc.freeze()
    del keras, keras_tuner, pd, psutil, scipy, sklearn, tf, lrtune, tests


def _say(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _child(request: dict[str, Any]) -> int:
    os.setpgid(0, 0)  # what Ctrl-C in a terminal reaches
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which `nohup` ignores
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    first = OUTPUTS[request["stdout"]]() if "stdout" in request else output
    for target, source in ((0, nothing), (1, first), (2, output)):
        os.dup2(source, target)
    os.environ.update(request.get("env", {}))
    tempfile.tempdir = None
    os.chdir(request["cwd"])
    if not request.get("pictures", True):
        page.draw_pictures = lambda _: []
    _watch_boundaries(request)
    from tests.faults import searches

    code = searches.run(request["job"])
    if request["job"]["kind"] == "tuner" and request["job"].get("workers", 1) == 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # nothing is left to end, and Python's own end takes .3 s
    return code


def _watch_boundaries(request: dict[str, Any]) -> None:
    """Kills this process at its n-th write boundary, or copies the run folder at each."""
    from lrtune.records import files

    kill_at, copies = request.get("kill_at"), request.get("copies")
    if kill_at is None and copies is None:
        return
    count = 0

    def boundary(path: Path) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if copies is not None:
            shutil.copytree(request["job"]["folder"], Path(copies, str(count)))

    files.boundary = boundary


if __name__ == "__main__":
    sys.exit(main())
