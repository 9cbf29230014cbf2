from __future__ import annotations

import re

from lrtune.run import load_run
from tests.runs import build_run


def test_a_run_shows_itself_in_one_line_and_in_a_notebook_as_a_table(tmp_path):
    run = load_run(build_run.small_run(tmp_path))

    assert repr(run) == (
        f"<lrtune run '{tmp_path}': random, val_accuracy, 50 epochs; 6 completed, 1 diverged, "
        "1 failed, 1 running>"
    )
    page = run._repr_html_()
    assert page.startswith('<div class="tex2jax_ignore mathjax_ignore"><p>lrtune run &#x27;')
    assert page.count("<tr") == 6


def test_a_run_in_a_notebook_has_numbers_of_few_digits_and_no_marks_of_missing_ones(tmp_path):
    build_run.write_manifest(tmp_path)
    build_run.write_baseline(tmp_path)
    values = {**build_run.EXPONENTIAL, "lr0": 0.0123456789, "momentum": 0.987654321}
    build_run.write_trial(tmp_path, "0", 0.7123456789, values=values, rows=0)
    build_run.write_trial(tmp_path, "1", 0.65, epochs=(1, 17, 17), values=values, rows=0)

    rows = re.findall(r"<tr>(.*?)</tr>", load_run(tmp_path)._repr_html_(), re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]

    own = ["exponential", "0.0123", "0.988", "k=0.08"]
    assert cells == [
        ["1", "0", *own, "0.7123", "+0.0313", "completed"],
        ["", "1", *own, "0.6500", "", "completed"],
    ]
