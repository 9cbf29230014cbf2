"""What all commands share: bad input ends with one line and exit code 2, never a traceback."""

from __future__ import annotations

import atexit
import errno
import logging
import os
import shlex
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO, cast

import typer

from lrtune._util.interrupts import SIGNALS
from lrtune._util.output import SteadyOutput, open_standard_streams
from lrtune._util.printable import printable
from lrtune.errors import LrtuneError, OtherSearchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console


BAD_INPUT = 2
"""Exit code for anything the user can fix by typing something else."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, 128 plus the signal's number as in shells; after SIGTERM and SIGHUP
too."""

# Up to version 0.20 Typer raises click's own class, then its copy of it: this is either.
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


RunFolder = Annotated[str, typer.Argument(help="The run folder: --run-dir of the search.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.py:FUNCTION",
        help="A function that returns a Keras model, compiled or not, and may take hp; also "
        "package.module:function.",
        show_default="the cats-vs-dogs CNN",
    ),
]
Data = Annotated[
    str,
    typer.Option(
        help="auto (CIFAR-10, else synthetic), cifar10, synthetic, an .npz file, a folder of "
        "images with one sub-folder a class; or FILE.py:FUNCTION, which returns "
        "{'train': (x, y), 'validation': (x, y), 'test': (x, y)}, or datasets."
    ),
]
Optimizer = Annotated[
    str | None,
    typer.Option(
        help="Optimizer to train with: sgd, adam, adamw, rmsprop, lion.",
        show_default="sgd, or that of a compiled model",
    ),
]
Loss = Annotated[
    str | None,
    typer.Option(
        help="Loss by Keras' name, mse for example.",
        show_default="cross-entropy, or that of a compiled model",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="Worker processes.", show_default="one a GPU, or else a physical core"),
]
WorkersPerGpu = Annotated[
    int,
    typer.Option(help="Worker processes for each GPU, which share it; several for a small model."),
]
InProcess = Annotated[
    bool,
    typer.Option("--in-process", help="Train in this process, for debugging: no worker processes."),
]
Engine = Annotated[
    str,
    typer.Option(
        help="What runs the workers: local, processes of this machine; or ray, a cluster."
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Head node of the Ray cluster, or auto for the one that this machine belongs to.",
        show_default="a Ray of its own on this machine",
    ),
]
GpusPerTrial = Annotated[
    float | None,
    typer.Option(
        help="With --engine ray: GPUs of a trial, 0.25 for four trials on each.",
        show_default="1 where the cluster has any",
    ),
]
TrialTimeout = Annotated[
    float, typer.Option(help="Seconds for an epoch after which a worker counts as hung.")
]
MaxRetries = Annotated[
    int, typer.Option(help="Further tries of a training whose worker crashed, hung or was killed.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Show only warnings while it runs, then the report.")
]


def make_app(command: Callable[..., None]) -> typer.Typer:
    """A Typer application of one command with plain help, no completion and no tracebacks."""
    app = empty_app()
    app.command()(command)
    return app


def empty_app(help: str | None = None) -> typer.Typer:  # noqa: A002 - Typer's own name for it
    """A Typer application for subcommands, in the same style as `make_app`."""
    return typer.Typer(
        help=help, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def steady_console() -> Console:
    """Standard output for what runs long: it may fail without ending anything."""
    from rich.console import Console

    return Console(file=cast("TextIO", SteadyOutput(sys.stdout, discard=True)))


def show_result(
    folder: str | os.PathLike[str],
    console: Console,
    what: str,
    *,
    new_page: bool = True,
    closing: str = "",
) -> None:
    """Prints a finished run's report and writes its page.

    Args:
        folder: the run folder.
        console: where to print.
        what: what is finished: "search" or "confirmation".
        new_page: whether to replace an earlier page.
        closing: text to print at the end.

    Raises:
        typer.Exit: with code 130, after Ctrl-C; nothing is lost.
    """
    from lrtune.report.finish import keep_page, print_run
    from lrtune.report.terminal import say

    try:
        print_run(folder, console)
        keep_page(folder, console, overwrite=new_page)
        if closing:
            say(console, closing)
    except KeyboardInterrupt:
        say(
            console,
            f"\nInterrupted. The {what} is finished and saved: `lrtune report "
            f"{shlex.quote(str(folder))}` prints its report.",
        )
        raise typer.Exit(INTERRUPTED) from None


def flag(option: str) -> str:
    """An option's name on the command line: "--max-epochs" for "max_epochs"."""
    return f"--{option.replace('_', '-')}"


_SHORT_OF = {
    errno.EAGAIN: "processes, as `ulimit -u` limits them",
    errno.EMFILE: "open files, as `ulimit -n` limits them",
    errno.ENFILE: "open files",
    errno.ENOMEM: "memory",
    errno.ENOSPC: "disk space",
}


def _in_words(error: Exception) -> str | None:
    """What a user reads of an exception; None if only its traceback would help."""
    if isinstance(error, OtherSearchError):
        return error.typed
    if isinstance(error, LrtuneError):
        return str(error)
    if isinstance(error, _UsageError):
        return str(error.format_message())
    if isinstance(error, MemoryError):
        lacks = "memory"
    elif isinstance(error, OSError) and error.errno in _SHORT_OF:
        path = f": {error.filename}" if error.filename else ""
        lacks = f"{_SHORT_OF[error.errno]} ({error.strerror}{path})"
    elif "can't start new thread" in str(error):  # Python's only sign of it
        lacks = _SHORT_OF[errno.EAGAIN]
    else:
        return None
    return f"this machine is short of {lacks}. Everything saved so far is intact"


def _unraisable(problem: Any) -> None:
    """Prints an exception in a finalizer, as Python does, unless it is an interrupt."""
    if not issubclass(problem.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(problem)


def _end(code: int) -> NoReturn:
    """Exits the process; no signal disturbs its end.

    An interrupted one ends without Python's own end, which frees what TensorFlow's threads may
    still compute with: one of some hundred interrupted searches ended with SIGSEGV (-11). And
    CPython remembers an interrupt that passed through `exec` of a text, as in making a dataclass
    while a module is imported: `python -m` then ends with a SIGINT of its own (-2).
    """
    # Python removes its handlers before it has exited: Ctrl-C would kill it then.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if code == INTERRUPTED:
        atexit._run_exitfuncs()  # it has no public name
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # gone with the terminal
                stream.flush()
        os._exit(code)
    sys.exit(code)


def main(app: typer.Typer, prog: str, argv: list[str], *, last: bool) -> None:
    """Runs the command line and exits: 0 on success, 2 for bad input, 130 if interrupted.

    Args:
        app: the application.
        prog: name shown in the usage line and before errors ("lrtune search").
        argv: arguments after the program's name.
        last: whether the process ends afterwards, so that it can ignore signals from then on.
    """
    open_standard_streams()
    if last:
        sys.unraisablehook = _unraisable
    for number in SIGNALS:
        if number != signal.SIGINT and signal.getsignal(number) != signal.SIG_IGN:  # as nohup does
            signal.signal(number, signal.default_int_handler)
    # Its first picture comes with a warning that it is looking for fonts.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        code = app(argv, prog_name=prog, standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):  # first, because Abort is an Exception
        code = INTERRUPTED
    except Exception as error:
        message = _in_words(error)
        if message is None:  # our own mistake, whose traceback helps to fix it
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # a bare command asks for its help
            typer.echo(message)
            sys.exit(BAD_INPUT)
        # Standard error may have gone with the terminal.
        line = f"{prog}: {printable(' '.join(message.split()))}\n"
        SteadyOutput(sys.stderr, notice=False).write(line)
        sys.exit(BAD_INPUT)
    code = code if isinstance(code, int) else 0
    if last:
        _end(code)
    sys.exit(code)
