"""A finished or running search as an object: `load_run(path)`, without TensorFlow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from lrtune.errors import ArgumentError, RunFolderError
from lrtune.records.reader import RunRecords, read_run
from lrtune.report.glance import counted, notebook_html, one_line
from lrtune.stats.baseline import measure_baseline
from lrtune.stats.cost import measure_cost, times_to_target
from lrtune.stats.frames import (
    baseline_frame,
    cost_frame,
    curves_frame,
    epochs_frame,
    importance_frame,
)
from lrtune.stats.ranking import rank
from lrtune.stats.winner import best_trial

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from lrtune.plots.gallery import Plots
    from lrtune.records.schema import Manifest, Outcome
    from lrtune.report.recommendation import Answer, Recommendation
    from lrtune.schedules import Schedule
    from lrtune.schedules.recipe import Recipe


def load_run(path: str | os.PathLike[str]) -> Run:
    """Load the run that a search wrote.

    Args:
        path: the run folder, `--run-dir` of the search.

    Returns:
        The current state of the run; load it again to see how a running search continues.

    Raises:
        RunFolderError: there is no run at this path, or it cannot be read.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError(f"path must be a string or a path. Received: path={path!r}.")
    return Run(read_run(path))


class Run:
    """What a search found.

    Attributes:
        records: the contents of the run folder.
    """

    def __init__(self, records: RunRecords) -> None:
        self.records = records

    @property
    def manifest(self) -> Manifest:
        """What was asked of the search."""
        return self.records.manifest

    @property
    def plot(self) -> Plots:
        """The pictures of this run: `run.plot.schedules()`, ...; see `lrtune.plots.gallery`."""
        from lrtune.plots.gallery import Plots  # matplotlib takes .3 s, for pictures alone

        return Plots(self.records)

    def verdict(self) -> str:
        """What to use and how sure that is, in plain sentences: what the report begins with.

        It is about the confirmation if there is one, otherwise about the search.
        """
        from lrtune.report.build import build_report

        return build_report(self.records).verdict

    def code(
        self, name: str | None = None, style: Literal["keras", "lrtune", "json"] = "keras"
    ) -> str:
        """The code that trains with a schedule of this run, with all its settings.

        Args:
            name: id of a trial, or name of an arm of the confirmation or the baseline; None for the
                recommended choice, the constant rate where no schedule was shown to beat it.
            style: "keras" needs no lrtune; "lrtune" is shorter; "json" holds the values.

        Raises:
            ArgumentError: an unknown name or style, or no name where nothing is recommended.
        """
        from lrtune.report.code import code_for

        if name is None:
            answer = self._answer()
            if answer.choice is None:
                raise ArgumentError(
                    f"name must be given, because this run recommends nothing. {answer.text}"
                )
            return answer.choice.code(style)
        return code_for(self.recipe(name), self.records.manifest, style)

    def recommendation(self) -> Recommendation | None:
        """What to train with, and how sure that is: the choice that the report begins with.

        That is the best schedule if it was shown to beat the constant rate, else the constant rate.

        Returns:
            The choice; None where the run supports none, because no trial completed the full budget
            or nothing has learned. `verdict` says which.
        """
        return self._answer().choice

    def usage(self) -> str:
        """Lines of Python to paste, which use the recommended choice; empty without one."""
        from lrtune.report.build import build_report

        return "\n".join(build_report(self.records).usage)

    def write_page(self, path: str | os.PathLike[str]) -> None:
        """Write the report as one self-contained HTML file, as `lrtune report --html`.

        Args:
            path: of the file, which is replaced if it exists.

        Raises:
            ArgumentError: it cannot be written.
        """
        from lrtune.report.page import write_page

        write_page(self.records, path)

    def ranking(self) -> pd.DataFrame:
        """All trials, the best first, ranked within their budget: see `lrtune.stats.ranking.rank`.

        Returns:
            One row a trial; columns rank, trial_id, schedule, lr0, momentum, parameters, own,
            epochs, score, delta, within_noise, status, seconds, total_seconds, budget,
            rank_in_budget, parent, message.
        """
        return rank(self.records)

    def baseline(self) -> pd.DataFrame:
        """The constant learning rates, including the one that trials are compared with.

        Returns:
            One row for each arm with a score; scores in the unit of the objective. Columns:
                arm: its name, "constant-tuned" for the rate that was searched for.
                lr0, momentum: of the arm. own: as in `ranking`.
                mean, std (n - 1), n: of the scores of its seeds.
                diverged: how many of the n seeds diverged.
                failed: seeds without a score, not among the n.
                scores: a tuple with one for each seed.
                is_reference: whether it is the one that trials are compared with.
        """
        return baseline_frame(measure_baseline(self.records))

    def comparison(self) -> pd.DataFrame:
        """The confirmation: arms trained with fresh seeds, compared on the test data.

        While a confirmation is running, the seeds that have ended are compared.

        Returns:
            One row for each arm, including the baseline; scores and differences in the unit of the
            objective, differences above 0 are better. Columns:
                arm, is_baseline: its name, and whether the others are compared with it.
                schedule, lr0, momentum, parameters, own: as in `ranking`.
                trial_id: of the search's trial that it comes from; NA for a constant rate.
                n, missing: seeds with a score and without one.
                mean, std (n - 1): of the scores. lower, upper: 95 % interval of the mean.
                search_score: what the search gave it.
                selection_bias: by how much that was better than the mean here.
                pairs: seeds with a score here and in the baseline; NA, as all that follow, for
                    the baseline itself.
                difference, difference_std: mean and standard deviation (n - 1) of the differences,
                    seed by seed. difference_lower, difference_upper: 95 % interval of their mean,
                    not adjusted for the number of arms.
                p, p_holm: of the sign-flip test, as it is and adjusted for all arms.
                verdict: "better", "worse", "none" or "untested".
                seeds_to_show: about how many seeds would show this difference, a guess from these
                    very seeds.
                evidence: of a sequential confirmation, which has no p-values: its arm is "better"
                    once this reaches 20. NA of one of fixed design.
                sentence: the verdict in words.

        Raises:
            RunFolderError: the run has no confirmation.
        """
        # Imported late, because scipy.special takes .3 s and a ranking does not need it.
        from lrtune.stats.confirmation import confirmation_frame

        return confirmation_frame(self.records)

    def tuning_curve(self, family: str | None = None) -> pd.DataFrame:
        """The expected best score of a number of trials, for random search only.

        Args:
            family: a searched family with a scored trial of the full budget; None for all of them.

        Returns:
            One row for each family and number of trials; columns:
                schedule: the family. n: number of trials, from 1.
                expected, median: of the best score of n trials.
                lower, upper: 95 % confidence band of the median, at all n at once.

        Raises:
            ArgumentError: the search was not random, or does not have this family.
        """
        from lrtune.stats.tuning_curves import family_curves

        curves = family_curves(self.records)
        if family is not None:
            if family not in curves:
                known = ", ".join(map(repr, curves)) or "none, for no trial has a score"
                raise ArgumentError(f"family must be one of {known}. Received: family={family!r}.")
            curves = {family: curves[family]}
        return curves_frame(curves)

    def best_so_far(self) -> pd.DataFrame:
        """The best score of the full budget against the epochs spent, for any algorithm.

        Returns:
            One row for each trial that ended, in the order in which they started; columns:
                trial_id: of the trial.
                epochs: spent by all trials up to this one, including those with shorter budgets.
                best: the best score of a completed trial of the full budget so far; NaN before
                    there is one.
        """
        from lrtune.stats.tuning_curves import best_so_far

        return best_so_far(self.records)

    def cost(self) -> pd.DataFrame:
        """What the run cost, by purpose.

        Returns:
            One row for each purpose; columns:
                of: "family" (one row each), "unfinished", "search" (the sum of these),
                    "baseline search", "baseline", "confirm", "total" (the sum of these and the
                    search); and parts of the search: "diverged", "failed", "winner" (it and the
                    trials it continues), "until winner" (all trials up to it).
                name: the family or the winner's trial id, else empty.
                trials: number of trainings. epochs: that they trained.
                seconds: their sum; with several workers less time has passed.
                share: of the total's epochs, 0 to 1.
        """
        return cost_frame(measure_cost(self.records))

    def time_to_target(self, top: int = 5) -> pd.DataFrame:
        """How soon the best trials were as good as the baseline at its end.

        Args:
            top: int >= 1, number of the best completed trials of the full budget.

        Returns:
            One row for each trial, the best first; none without a baseline. Columns:
                trial_id, schedule: of the trial.
                score: its own. target: the baseline's mean.
                epoch: the first whose objective is as good as the target; NA for never.
        """
        return times_to_target(self.records, top)

    def importance(self) -> pd.DataFrame:
        """Which hyperparameters decided how well trials did.

        Returns:
            One row for each hyperparameter; none with fewer than 50 trials of one budget.
            Columns:
                schedule: the family whose trials were used; "all" for all families.
                parameter: its name, a family's own as "family.parameter".
                share: of the variance of scores that goes with it, alone or together with others.
                trials: how many were used.
                explained: share of the variance that all of them together predict in unseen trials;
                    at or below 0 the shares are noise.
                budget: of the trials, in epochs.
        """
        from lrtune.stats.importance import measure_importance

        return importance_frame(measure_importance(self.records))

    def epochs(self, trial_id: str, *, lineage: bool = False) -> pd.DataFrame:
        """The epochs of one trial.

        Args:
            trial_id: of a trial, finished or not, or "baseline/ARM/seed-N", or
                "confirm/ARM/seed-N".
            lineage: True to put the epochs of the trials that it continues before its own, so that
                they start with epoch 1.

        Returns:
            One row for each epoch; columns epoch (from 1), lr, loss, accuracy, val_loss,
            val_accuracy, seconds, as far as they were recorded, and any other metric.
        """
        before = self.records.continued(trial_id)[:-1] if lineage else ()
        ids = [*(one.trial_id for one in before), trial_id]
        return epochs_frame([row for one in ids for row in self.records.epochs(one)])

    @property
    def best_trial_id(self) -> str:
        """Id of the trial of rank 1; the first tried if there are several.

        Raises:
            RunFolderError: no trial completed the full budget.
        """
        return self._best().trial_id

    def best_schedule(self) -> Schedule:
        """The schedule of the trial of rank 1, which may be no better than a constant rate.

        `recommendation` says what to use.
        """
        return self._best().recipe.schedule

    def best_momentum(self) -> float:
        """The momentum of the trial of rank 1, >= 0 and < 1."""
        return self.momentum(self.best_trial_id)

    def best_model(self, hypermodel: Any = None, trial: str | None = None) -> keras.Model:
        """The trained model of the trial of rank 1, or of another one that the search kept.

        It is compiled, can train on, and is saved to a file that loads without lrtune: see
        `LoopTuner.get_best_models`. Imports TensorFlow, as nothing else here does.

        Args:
            hypermodel: the search's. None for the CNN of `lrtune search`, which is built for the
                images and classes that it was trained with.
            trial: id of a trial, one of the `keep_models` best; "constant-tuned" for the best
                constant rate that was searched for; None for the trial of rank 1.

        Raises:
            ArgumentError: an unknown trial, no hypermodel although a script ran the search, or one
                that builds another model.
            RunFolderError: no trial completed the full budget, or the model was not kept.
        """
        from lrtune.model.kept import best_model  # the one way down: see CONTRIBUTING.md

        return best_model(self.records, hypermodel, trial)

    def schedule(self, name: str) -> Schedule:
        """The schedule of a trial or an arm.

        Args:
            name: id of a trial, or name of an arm of the confirmation or the baseline.
        """
        return self.recipe(name).schedule

    def momentum(self, name: str) -> float:
        """The momentum of a trial or an arm, >= 0 and < 1; `name` as in `schedule`."""
        recipe = self.recipe(name)
        recipe.check(*(() if "beta_1" in recipe.settings else ("momentum",)))
        return recipe.momentum

    def settings(self, name: str) -> dict[str, Any]:
        """The optimizer's settings of a trial or an arm: {"momentum": 0.9}; `name` as above."""
        return dict(self.recipe(name).settings)

    def hyperparameters(self, name: str) -> dict[str, Any]:
        """All hyperparameters of a trial or an arm, including those that `build_model` samples.

        Args:
            name: as in `schedule`.

        Returns:
            Name of the hyperparameter -> value.
        """
        return self.recipe(name).values

    def recipe(self, name: str) -> Recipe:
        """Schedule, optimizer and own values of a trial or an arm; `name` as in `schedule`."""
        return self.records.recipe(name)

    def error(self, trial: str) -> str:
        """What a trial ended with that failed, diverged or was lost: of a failure, the traceback.

        Args:
            trial: id of a trial, or of a training of the baseline.

        Raises:
            ArgumentError: there is no such trial, or it has not failed.
        """
        found = self.records.find(trial)
        if found is None or found.message is None:
            raise ArgumentError(
                f"trial must be one that failed, diverged or was lost. Received: {trial!r}."
            )
        return found.message

    def _answer(self) -> Answer:
        from lrtune.report.build import build_report

        return build_report(self.records).answer

    def _best(self) -> Outcome:
        best = best_trial(self.records)
        if best is None:
            raise RunFolderError(
                f"The run {str(self.records.folder)!r} has no best trial: none completed "
                f"{self.manifest.max_epochs} epochs. It has {counted(self.records)}."
            )
        return best

    def __repr__(self) -> str:
        return one_line(self.records)

    def _repr_html_(self) -> str:
        return notebook_html(self.records)
