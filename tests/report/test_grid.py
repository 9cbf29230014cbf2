from __future__ import annotations

from lrtune.report.grid import Column, lay_out

NAMES = Column("name", ("step(drop=0.5, epochs_drop=10)", "constant"), least=14)
NUMBERS = Column("n", ("1", "100"), right=True)
TIME = Column("time", ("1 s", "2 s"), optional=True)


def test_columns_are_as_wide_as_their_longest_cell_if_there_is_room():
    assert lay_out([NAMES, NUMBERS], 35) == [
        ["name                              n"],
        ["step(drop=0.5, epochs_drop=10)    1"],
        ["constant                        100"],
    ]


def test_a_cell_wraps_at_its_blanks_if_there_is_less_room():
    assert lay_out([NAMES, NUMBERS], 34) == [
        ["name                             n"],
        ["step(drop=0.5,                   1", "epochs_drop=10)"],
        ["constant                       100"],
    ]


def test_a_long_name_is_parted_from_its_first_parameter_rather_than_stick_out():
    cells = ("warmup+constant(warmup.epochs=2.23, warmup.start=0.01)", "step(drop=0.5)")
    columns = [Column("schedule", cells, least=20)]
    assert lay_out(columns, 20) == [
        ["schedule"],
        ["warmup+constant(", "warmup.epochs=2.23,", "warmup.start=0.01)"],
        ["step(drop=0.5)"],
    ]


def test_an_optional_column_is_dropped_before_a_line_gets_too_long():
    least = 14 + 2 + 3 + 2 + 4
    assert "time" in lay_out([NAMES, NUMBERS, TIME], least)[0][0]
    assert "time" not in lay_out([NAMES, NUMBERS, TIME], least - 1)[0][0]


def test_nothing_is_ever_cut():
    lines = lay_out([NAMES, NUMBERS], 5)

    assert lines[1] == ["step(drop=0.5,    1", "epochs_drop=10)"]
    assert lines[2] == ["constant        100"]


def test_lines_have_no_trailing_blanks():
    for width in range(5, 45):
        for lines in lay_out([NUMBERS, NAMES, TIME], width):
            assert all(line == line.rstrip() for line in lines)


def test_a_remark_follows_its_cell_in_brackets():
    column = Column("schedule", ("step", "constant"), remarks=("drop=0.5", ""))

    assert lay_out([column], 40) == [["schedule"], ["step(drop=0.5)"], ["constant"]]
