"""Which direction of a metric is better follows from its name, or is asked for."""

from __future__ import annotations

import re

import keras
import keras_tuner
import pytest

from lrtune.errors import ArgumentError
from lrtune.search.objective import parse_objective

BETTER = {
    "max": [
        "accuracy", "val_accuracy", "val_acc", "val_side_accuracy", "val_auc", "val_AUC",
        "val_auc_2", "val_precision", "val_recall_1", "val_f1_score",
        "val_fbeta_score", "val_r2_score",
        "val_mean_io_u", "val_one_hot_io_u", "val_cosine_similarity",
        "val_top_k_categorical_accuracy", "val_pearson_correlation",
        "val_sensitivity_at_specificity", "val_true_positives",
    ],
    "min": [
        "loss", "val_loss", "val_total_mae", "val_price_loss", "val_mse", "val_mean_squared_error",
        "val_root_mean_squared_error", "val_mape", "val_hinge", "val_kl_divergence", "val_log_cosh",
        "val_sparse_categorical_crossentropy", "val_false_negatives", "val_poisson",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "direction"), [(name, way) for way, names in BETTER.items() for name in names]
)
def test_the_direction_of_keras_metrics_is_known(name, direction):
    found = parse_objective(name)
    assert (found.name, found.direction) == (name, direction)


def test_every_metric_of_keras_has_a_direction_that_its_own_name_gives():
    # Built without arguments; these have no better direction, or need one.
    neither = {"mean", "sum", "mean_metric_wrapper", "metric"}
    for kind in vars(keras.metrics).values():
        if isinstance(kind, type) and issubclass(kind, keras.metrics.Metric):
            try:
                name = re.sub(r"_\d+$", "", kind().name)  # the number counts earlier ones
            except TypeError:
                continue
            if name not in neither:
                assert parse_objective(name).direction in ("max", "min")


def test_a_direction_after_the_name_and_an_objective_of_keras_tuner_are_taken():
    found = parse_objective("val_profit:max")
    assert (found.name, found.direction) == ("val_profit", "max")
    given = keras_tuner.Objective("val_f1_score", "min")
    assert parse_objective(given) is given


def test_a_metric_that_nobody_knows_must_say_what_is_better():
    with pytest.raises(ArgumentError) as error:
        parse_objective("val_profit")
    assert str(error.value) == (
        "objective must say what is better, val_profit:max or val_profit:min, as its name is not "
        "that of one of Keras' metrics. Received: val_profit"
    )
