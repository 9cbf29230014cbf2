"""Observers that pass on what they see."""

from __future__ import annotations

from lrtune.display.observer import AtFirstEpoch, Observer


class Listens(Observer):
    def __init__(self):
        self.heard = []

    def epoch_ended(self, trial_id, record):
        self.heard.append((trial_id, record["epoch"]))


def test_a_function_is_called_once_after_the_first_epoch_is_passed_on():
    inner, heard = Listens(), []
    observer = AtFirstEpoch(inner, lambda: heard.append(len(inner.heard)))
    for trial, epoch in (("a", 1), ("b", 1), ("a", 2)):
        observer.epoch_ended(trial, {"epoch": epoch})
    assert inner.heard == [("a", 1), ("b", 1), ("a", 2)]
    assert heard == [1]
