from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrtune.errors import RunFolderError
from lrtune.records.ids import (
    TrialId,
    arm_id,
    find_id,
    first_tried,
    folder_of,
    id_of_folder,
    is_arm_name,
    parse_id,
)


@pytest.mark.parametrize(
    ("text", "parts", "folder"),
    [
        ("0007", TrialId("search", number="0007"), "trial_0007"),
        (
            "baseline/search/12",
            TrialId("baseline/search", number="12"),
            "baseline/search/trial_12",
        ),
        (
            "baseline/constant-0.1/seed-3",
            TrialId("baseline", arm="constant-0.1", seed=3),
            "baseline/constant-0.1/seed-3",
        ),
        (
            "confirm/trial-0007/seed-42",
            TrialId("confirm", arm="trial-0007", seed=42),
            "confirm/trial-0007/seed-42",
        ),
    ],
)
def test_an_id_has_parts_and_a_folder(text, parts, folder):
    assert parse_id(text) == parts
    assert str(parts) == text
    assert folder_of(text) == folder


@given(
    st.sampled_from(["baseline", "confirm"]),
    st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.+-]{0,12}\Z"),
    st.integers(0, 10**18 - 1),
)
def test_a_built_id_can_be_parsed(kind, arm, seed):
    found = parse_id(arm_id(kind, arm, seed))

    assert (found.kind, found.arm, found.seed, found.number) == (kind, arm, seed, "")
    assert is_arm_name(arm)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "-1", "1/2", "../1", "baseline/../seed-1", "confirm/.a/seed-1", "baseline/a/seed-",
        "confirm/a/seed-01", "elsewhere/a/seed-1", "baseline/search/a", "confirm/search/1",
        "0" * 19, "\u0661", "baseline/a/seed-1/x", "baseline/a\n/seed-1",
    ],
)  # fmt: skip
def test_other_text_is_not_an_id(text):
    assert find_id(text) is None
    with pytest.raises(RunFolderError) as error:
        folder_of(text)
    assert str(error.value) == (
        "a trial's id must be a number, or baseline/ARM/seed-N, choice/ARM/seed-N or "
        f"confirm/ARM/seed-N with an arm of letters, digits and ._+-. Received: {text!r}"
    )


def test_only_a_trials_folder_has_an_id():
    assert id_of_folder("trial_0012") == "0012"
    assert [id_of_folder(name) for name in ("trial_", "0012", "trial_x", "baseline")] == [None] * 4
    assert id_of_folder("trial_" + 23 * "1") is None, "which no id has"


def test_a_longer_id_was_tried_later():
    assert sorted(["10000", "0002", "9999", "0010"], key=first_tried) == [
        "0002", "0010", "9999", "10000",
    ]  # fmt: skip
