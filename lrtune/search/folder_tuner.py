"""What a tuner says of the run in its folder: the best hyperparameters and models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from lrtune._util import checks
from lrtune.model.kept import best_model, best_models
from lrtune.records.reader import read_run
from lrtune.records.writer import holds_run
from lrtune.search.oracle import UnsavedTuner
from lrtune.stats.winner import ordered

if TYPE_CHECKING:
    import keras

    from lrtune.records.schema import Outcome


class FolderTuner(UnsavedTuner):
    """A tuner whose results are those that the run folder holds."""

    @property
    def _folder(self) -> Path:
        return Path(str(self.directory), str(self.project_name))

    @override
    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """Hyperparameters of the best trials.

        Trials with the largest budget come first, trials that diverged come last.
        """
        return [trial.hyperparameters for trial in self._best_trials(num_trials)]

    @override
    def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
        """The models of the best trials of the full budget, with the weights of their last epoch.

        They are compiled without anything of lrtune's: `model.save("best.keras")` gives a file that
        loads in a Python without it. The optimizer has its state (momentum, step count) and, as a
        plain number, the rate of the last step, with which `fit` goes on; to train at another rate,
        set `model.optimizer.learning_rate`, for a rate that fell to 0 above all. A model that
        `build_model` compiled keeps its loss and metrics. The model of a hypermodel without
        schedules is what its `build` returns, with the trained weights.

        Args:
            num_models: int >= 1, at most `keep_models`.

        Returns:
            The best first; fewer if fewer trials completed the full budget.

        Raises:
            ArgumentError: the hypermodel builds other models than those of the trials.
            RunFolderError: a model was not kept.
        """
        count = checks.integer("num_models", num_models, at_least=1)
        if not holds_run(self._folder):
            return []
        return best_models(read_run(self._folder), self.hypermodel, count)

    @override
    def load_model(self, trial: Any) -> keras.Model:
        """The model of one trial (of the oracle), as from `get_best_models`."""
        return best_model(read_run(self._folder), self.hypermodel, trial.trial_id)

    def _best_trials(self, count: int) -> list[Any]:
        """Keras Tuner's objects for the best trials of the run, without failed ones."""
        if not holds_run(self._folder):
            return []
        best: list[Outcome] = ordered(read_run(self._folder).outcomes, self._direction)
        scored = [one for one in best if one.status != "failed"]
        return [self.oracle.get_trial(one.trial_id) for one in scored[:count]]

    @property
    def _direction(self) -> str:
        return str(self.oracle.objective.direction)
