"""`lrtune search`: searches schedules for the cats-vs-dogs CNN, or a model of your own.

The options are checked first; TensorFlow is imported only if all of them are valid.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from lrtune.cli import app as cli
from lrtune.cli import one_command
from lrtune.cli.auto_range import with_found_range, with_recorded_range
from lrtune.cli.data import load_given, start, what_is_trained
from lrtune.cli.option_checks import check
from lrtune.cli.options import (
    QUICK_TRAIN,
    QUICK_VALIDATION,
    USUAL,
    Options,
    command_line,
)
from lrtune.cli.time_limit import planned, stages_of
from lrtune.report.words import count

if TYPE_CHECKING:
    from rich.console import Console

    from lrtune.cli.time_limit import Planned
    from lrtune.display.observer import Observer
    from lrtune.records.schema import Outcome
    from lrtune.search.deadline import Deadline
    from lrtune.search.given import Given


def command(**typed: Any) -> None:
    """Search schedules and rank them against a tuned constant rate.

    First it searches constant rates; the best of them race against .1 and .01, with up to three
    seeds each. Then it runs the trials that the algorithm proposes, and prints the ranking.
    Everything is kept in the run folder: `lrtune report RUN` prints it again, and the same command
    resumes a search that was stopped, by Ctrl-C or anything else.
    """
    options = Options(**typed)
    check(options)
    search(options)


# Typer makes the options of a command from its signature.
command.__signature__ = inspect.signature(Options, eval_str=True)  # type: ignore[attr-defined]


def search(options: Options, clock: Callable[[], float] = time.monotonic) -> None:
    """Runs a search as the command line does: data, tuner, the search itself, its result.

    Args:
        options: of the command line.
        clock: gives seconds, for the time limit.

    Raises:
        LrtuneError: bad input, or a run folder that cannot be used.
        typer.Exit: with code 130, after an interrupt.
    """
    from lrtune.records.own import foreign_names
    from lrtune.records.writer import RunWriter, refuse_foreign_folder, refuse_to_erase
    from lrtune.report.finish import next_commands
    from lrtune.report.terminal import say
    from lrtune.search.deadline import Deadline

    deadline = Deadline(clock() + options.seconds, clock)
    console = cli.steady_console()
    folder = options.folder
    (refuse_to_erase if options.overwrite else refuse_foreign_folder)(folder)
    if options.tensorboard is not None:
        from lrtune.export.live import check_folder

        check_folder(options.tensorboard, folder)
    if options.local_workers and not (options.own_code or folder.exists()):
        from lrtune.runner.forkserver import start_server

        start_server()  # nothing is finished here: it imports TensorFlow while the data are loaded
    options, given = _loaded(options, console)
    finished = not options.overwrite and _is_finished(options, given)
    if finished and not options.confirm:
        say(console, f"The search in {folder} is finished; --overwrite starts a new one.")
    if finished and options.as_usual and not options.confirm:
        cli.show_result(folder, console, "search", new_page=False)
        return
    if options.overwrite and folder.exists() and (left := foreign_names(folder)):
        say(console, f"{folder} keeps what lrtune did not write: {', '.join(left)}")
    RunWriter(folder).close()  # if it cannot write, it fails before TensorFlow starts
    stopped = False
    if not options.confirm or options.overwrite or _is_open(options, console, finished=finished):
        stopped = _search(options, given, console, deadline, finished=finished)
    if options.confirm:
        with _resumable(options, console):
            one_command.confirm_search(options, console, deadline, stopped=stopped)
        return
    closing = "" if finished else next_commands(folder)
    if stopped:
        closing = f"{closing}\n{one_command.search_left(options)}"
    cli.show_result(folder, console, "search", new_page=not finished, closing=closing)


def _is_open(options: Options, console: Console, *, finished: bool) -> bool:
    """Whether the search of `--confirm` may have trials to train.

    Once its confirmation has begun, the search stays as it is: with another winner, the
    confirmation could not be resumed.
    """
    from lrtune.records.manifest import DamagedManifestError
    from lrtune.records.reader import read_run
    from lrtune.records.writer import holds_run
    from lrtune.report.terminal import say

    if not holds_run(options.folder):
        return True
    try:
        confirmed = read_run(options.folder).confirmation is not None
    except DamagedManifestError:
        return True
    if confirmed and not finished:
        say(console, "The confirmation has begun, so the search is not continued.")
    elif finished and not confirmed:
        say(console, f"The search in {options.folder} is finished. Its confirmation is next.")
    return not (confirmed or (finished and options.as_usual))


def _search(
    options: Options, given: Given, console: Console, deadline: Deadline, *, finished: bool
) -> bool:
    """Starts TensorFlow and searches; whether the deadline came before the end."""
    from lrtune.report.terminal import say

    if not (options.quiet or finished):
        starting = "" if options.own_code else " Starting TensorFlow ..."
        say(console, what_is_trained(options.data, given) + starting)
    with _resumable(options, console):
        if not options.own_code:
            _start(options)
        return _run(options, given, console, deadline, quiet=options.quiet or finished)


def _start(options: Options) -> None:
    """Starts TensorFlow."""
    start(
        workers=not options.in_process,
        own_code=options.own_code,
        trains=options.finds_range,
        server=options.engine == "local",
    )


@contextmanager
def _resumable(options: Options, console: Console) -> Iterator[None]:
    """Ends with code 130 after an interrupt, with the report so far and how to resume."""
    try:
        yield
    except KeyboardInterrupt:
        _interrupted(options, console)


def _loaded(options: Options, console: Console) -> tuple[Options, Given]:
    """The data, and the options with the range of rates that the run folder has already."""
    from lrtune.report.terminal import say

    if options.own_code:
        if not options.quiet:
            say(console, "Starting TensorFlow ...")
        _start(options)
    quick = {"train": QUICK_TRAIN, "validation": QUICK_VALIDATION} if options.quick else {}
    given = load_given(options.data, console, **quick)
    if options.confirm:
        one_command.refuse_without_test(options.data, given)
    if options.finds_range and not options.overwrite:
        options = with_recorded_range(options)
    return options, given


def _is_finished(options: Options, given: Given) -> bool:
    """Whether the run folder holds this search, finished and intact.

    Where a file of the user's says what is searched, only the tuner sees whether it is the same.

    Raises:
        OtherSearchError: the folder holds another search.
    """
    from lrtune.records.identity import refuse_other_search
    from lrtune.records.manifest import DamagedManifestError
    from lrtune.records.reader import read_run
    from lrtune.records.writer import holds_run

    if not holds_run(options.folder):
        return False
    try:
        records = read_run(options.folder)
    except DamagedManifestError:  # the tuner restores it
        return False
    asked: dict[str, Any] = {
        "fingerprint": given.record.fingerprint,
        **{name: getattr(options, name) for name in ("algo", "seed", "score")},
        "max_epochs": options.epochs,
    }
    # Where they are left out, the search in the folder keeps its own.
    rungs = {"horizon": options.horizon, "min_epochs": options.min_epochs}
    asked |= {name: value for name, value in rungs.items() if value is not None}
    if options.as_usual:
        asked |= {
            "objective": options.objective or USUAL,
            "batch_size": options.one_batch_size,
            "batch_sizes": options.batch_sizes,
            "families": options.searched_families,
            "optimizer": options.optimizer or "sgd",
            "ranges": options.space.ranges,
            "fixed": options.space.fixed,
            "tries": options.tried,
            # A search of constant rates alone has no baseline to tune.
            "baseline_budget": 0.0
            if options.family_names == ("constant",)
            else options.baseline_budget,
        }
    refuse_other_search(options.folder, records.manifest, asked)
    # What was planned for a time limit stays planned so.
    trials = math.ceil(records.manifest.share * (options.trials or 0))
    more = trials > (records.manifest.max_trials or 0)
    return records.manifest.finished is not None and not (more or records.notices)


def _interrupted(options: Options, console: Console) -> NoReturn:
    """Prints the report so far and how to resume, and exits with code 130."""
    from lrtune.records.writer import holds_run
    from lrtune.report.finish import print_run
    from lrtune.report.terminal import say

    if holds_run(options.folder):
        print_run(options.folder, console)
    what = "" if options.confirm else " the search"
    say(console, f"\nInterrupted. To resume{what}:\n  {command_line(options)}")
    raise typer.Exit(cli.INTERRUPTED)


def _run(
    options: Options, given: Given, console: Console, deadline: Deadline, *, quiet: bool
) -> bool:
    from lrtune.display import Leaderboard, make_progress
    from lrtune.display.observer import AtFirstEpoch
    from lrtune.display.stages import Stages
    from lrtune.report.finish import prepare_page
    from lrtune.report.terminal import say

    if options.finds_range:
        options = with_found_range(options, hypermodel_of(options, given), given, console)
    limit = None
    if options.time_limit is not None:
        limit = _within_limit(options, given, console, deadline, quiet=quiet)
    tuner = _tuner(options, given, None if limit is None else limit.share)
    if tuner.share < 1 and (limit is None or limit.share is None) and not quiet:
        shares = f"with {tuner.share:.0%} of the usual trials; --overwrite starts a new one"
        say(console, f"This search was planned for a time limit, {shares}.")
    stages = stages_of(options, given, tuner)
    if limit is not None:
        both = limit.deadlines(deadline, stages, _ended(options))
        tuner.deadline, tuner.deadline_of_constants = both
    said = None
    if options.confirm or limit is not None:
        said = Stages(stages, None if limit is None else limit.speed)
    trials, epochs = tuner.plan()
    objective = tuner.oracle.objective
    leaderboard = Leaderboard(objective.name, objective.direction, options.epochs)
    with ExitStack() as stack:
        progress = stack.enter_context(
            make_progress(console, leaderboard, trials, epochs, quiet=quiet, stages=said)
        )
        observer: Observer = progress
        if options.tensorboard is not None:
            from lrtune.export.live import TensorBoardObserver

            events = TensorBoardObserver(options.tensorboard, options.folder, progress)
            observer = stack.enter_context(events)
        tuner.search(
            *given.train,
            **given.search_kwargs,
            **given.batches_of(options.one_batch_size),
            observer=AtFirstEpoch(observer, prepare_page),
            data=given.record,
            model=options.model,
        )
    return bool(tuner.stopped)


def _ended(options: Options) -> list[Outcome]:
    """The trainings of earlier sessions in the run folder."""
    from lrtune.records.manifest import DamagedManifestError
    from lrtune.records.reader import read_run
    from lrtune.records.writer import holds_run

    if options.overwrite or not holds_run(options.folder):
        return []
    try:
        return list(read_run(options.folder).by_id.values())
    except DamagedManifestError:
        return []


def _within_limit(
    options: Options, given: Given, console: Console, deadline: Deadline, *, quiet: bool
) -> Planned:
    """How the search fits into its time limit, which is said."""
    from lrtune.records.writer import holds_run
    from lrtune.report.terminal import say

    if not quiet:
        say(console, "Timing an epoch for the time limit ...")
    resumed = holds_run(options.folder) and not options.overwrite

    def make(asked: Options, share: float | None) -> Any:
        return _tuner(asked, given, share)

    found = planned(options, given, make, deadline, resumed=resumed)
    if not quiet:
        speed = found.speed
        fits = ""
        if found.share is not None:
            all_of = "all" if found.share == 1 else f"{found.share:.0%} of the usual"
            fits = f", so {all_of} trials fit"
        workers = count(speed.workers, "worker")
        say(console, f"An epoch takes {speed.epoch:.2g} s with {workers}{fits}.")
    return found


def hypermodel_of(options: Options, given: Given) -> Any:
    """The hypermodel that the options ask for."""
    from lrtune.model.named import named_hypermodel

    return named_hypermodel(
        options.model,
        given.train,
        epochs=options.epochs,
        families=options.family_names,
        optimizer=options.optimizer,
        ranges=options.space.ranges,
        fixed=options.space.fixed,
        batch_size=options.batch_sizes or None,
        loss=options.loss,
        metrics=options.metric_names,
    )


def _tuner(options: Options, given: Given, share: float | None = None) -> Any:
    from lrtune.model.named import first_model, usual_objective
    from lrtune.search.algorithms import tuner_of

    hypermodel = hypermodel_of(options, given)
    objective = options.objective
    if not options.as_usual:
        model = first_model(hypermodel, options.model)
        objective = objective or usual_objective(model, given.search_kwargs)
    size = (
        {"max_epochs": options.epochs} if options.trials is None else {"max_trials": options.trials}
    )
    return tuner_of(options.algo)(
        hypermodel,
        overwrite=options.overwrite,
        objective=objective or USUAL,
        directory=str(options.folder.parent),
        project_name=options.folder.name,
        seed=options.seed,
        workers=options.workers,
        score=options.score,
        horizon=options.horizon,
        min_epochs=options.min_epochs,
        tries=options.tries or () if options.model else options.tried,
        baseline_budget=options.baseline_budget,
        keep_models=options.keep_models,
        trial_timeout=options.trial_timeout,
        max_retries=options.max_retries,
        workers_per_gpu=options.workers_per_gpu,
        in_process=options.in_process,
        runner=options.run_options.runner,
        _share=share,
        **size,
    )
