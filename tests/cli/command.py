"""The command line in this process: what it does costs no start of Python, let alone TensorFlow."""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras_tuner  # noqa: F401 - a search would import it without scikit-learn, for all tests
import pytest
import typer

from lrtune import __main__
from lrtune._util.interrupts import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Ended:
    """As `subprocess.run` describes a command that ended."""

    returncode: int
    stdout: str
    stderr: str


def called(capsys: pytest.CaptureFixture[str], command: str | None, *arguments: object) -> Ended:
    """Runs `lrtune [COMMAND] ARGUMENTS` and restores what it sets for a whole process."""
    capsys.readouterr()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    logger = logging.getLogger("matplotlib")
    level = logger.level
    try:
        with pytest.raises(SystemExit) as end:
            __main__.main(command, [str(word) for word in arguments])
    finally:
        logger.setLevel(level)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    out, err = capsys.readouterr()
    return Ended(int(end.value.code or 0), out, err)


def options_of(command: Callable[..., None]) -> list[str]:
    """Every option that a command takes, as Typer reads it off the function: --max-epochs, ..."""
    app = typer.Typer(add_completion=False)
    app.command()(command)
    parameters = typer.main.get_command(app).params
    return [name for one in parameters for name in one.opts if name.startswith("--")]
