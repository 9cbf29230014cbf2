"""What every front door shares: one line and exit code 2 for bad input, never a traceback."""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING, Any

import typer

from lrtune._util.printable import printable
from lrtune.errors import ArgumentError, LrtuneError

if TYPE_CHECKING:
    from collections.abc import Callable


BAD_INPUT = 2
"""Exit code for anything the user can mend by typing something else."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, 128 and the signal's number, as shells have it; after SIGTERM too."""

# Typer 0.20 and older raise click's own class, newer ones their copy of it: this is either.
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def make_app(command: Callable[..., None]) -> typer.Typer:
    """A Typer application of one command, plain help text, no completion, no pretty tracebacks."""
    app = empty_app()
    app.command()(command)
    return app


def empty_app(help: str | None = None) -> typer.Typer:  # noqa: A002 - Typer's own name for it
    """A Typer application for subcommands, in the same style as `make_app`."""
    return typer.Typer(
        help=help, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def check_running(workers: int | None, trial_timeout: float, max_retries: int) -> None:
    """Raises ArgumentError for a wrong option of those that say how trainings are run."""
    if workers is not None:
        check_at_least("--workers", workers, 1)
    if not trial_timeout > 0:
        raise ArgumentError(
            f"--trial-timeout must be more than 0 seconds. Received: {trial_timeout:g}"
        )
    check_at_least("--max-retries", max_retries, 0)


def check_at_least(name: str, value: int, least: int) -> None:
    """Raises ArgumentError where an option's number is too small."""
    if value < least:
        raise ArgumentError(f"{name} must be at least {least}. Received: {value}")


def main(app: typer.Typer, prog: str, argv: list[str], *, last: bool) -> None:
    """Runs the command line and ends the process: 0 well, 2 bad input, 130 interrupted.

    Args:
        app: what to run.
        prog: name shown in the usage line and before errors ("lrtune search").
        argv: arguments after the program's name.
        last: whether the process ends with this, and signals can be ignored from then on.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # It says in a warning that it looks for fonts, the first time that anybody draws.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        code = app(argv, prog_name=prog, standalone_mode=False)
    except (_UsageError, LrtuneError) as error:
        message = str(error) if isinstance(error, LrtuneError) else error.format_message()
        if type(error).__name__ == "NoArgsIsHelpError":  # a bare command asks for its help
            typer.echo(message)
            sys.exit(BAD_INPUT)
        sys.stderr.write(f"{prog}: {printable(' '.join(message.split()))}\n")
        sys.exit(BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    if last:
        # Python takes its handlers away before it has ended: a Ctrl-C would kill it there.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    sys.exit(code if isinstance(code, int) else 0)
