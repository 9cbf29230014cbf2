"""What every picture must be: readable, in the same colours, the same each time, without traces."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lrtune.plots.gallery import Plots, save_figures
from lrtune.plots.theme import COLOURS, RC, looks
from lrtune.records.reader import read_run
from tests.plots import look
from tests.runs import build_run, make_run

ALL = (
    "schedules", "learning-curves", "family-scores", "hyperparameters", "funnel", "best-so-far",
    "tuning-curves", "forest", "importance",
)  # fmt: skip
RUNS = ("random 3", "random 30", "random 300, loss", "hyperband", "hyperband, loss")


@pytest.fixture(scope="module")
def drawn(searches):
    """Every picture of every run, drawn once."""
    return {run: drawn_of(records) for run, records in searches.items()}


def drawn_of(records):
    return {name: figure for name, _, figure in Plots(records).draw_all()}


def test_a_covered_or_cut_text_is_found():
    figure = Figure()
    figure.text(0.5, 0.5, "one text")
    figure.text(0.5, 0.51, "another")
    figure.text(0.95, 0.9, "beyond the edge")
    assert look.overlaps(figure) == [("one text", "another")]
    assert look.outside(figure) == ["beyond the edge"]


@pytest.mark.parametrize("run", RUNS)
def test_no_text_covers_another_and_none_is_cut_off(drawn, run):
    for name, figure in drawn[run].items():
        assert (name, look.overlaps(figure)) == (name, [])
        assert (name, look.outside(figure)) == (name, [])


@pytest.mark.parametrize("run", RUNS)
def test_every_axis_has_a_name_and_every_picture_a_title(drawn, run):
    for name, figure in drawn[run].items():
        title = figure.get_suptitle() or figure.axes[0].get_title(loc="left")
        assert len(title) > 15, name
        if name.startswith("parallel"):
            continue  # its axes are the coordinates, whose names are ticks
        labels = [ax.get_xlabel() for ax in figure.axes[-1:]]
        assert all(labels), name


def test_the_pictures_a_run_gets_are_those_it_has_data_for(drawn):
    def names(run):
        return [name for name in drawn[run] if not name.startswith("parallel")]

    assert names("random 300, loss") == [name for name in ALL if name not in ("funnel", "forest")]
    # Of 30 trials the hyperparameters predict the scores a little, of Hyperband's 9 they do not.
    assert names("random 30") == [
        name for name in ALL if name not in ("funnel", "forest", "importance")
    ]
    assert names("hyperband") == [
        name for name in ALL if name not in ("tuning-curves", "importance")
    ]
    few = ("funnel", "forest", "importance", "tuning-curves")
    assert names("random 3") == [name for name in ALL if name not in few]


def test_a_family_has_the_same_colour_in_every_picture(searches):
    records = searches["random 30"]
    plots = Plots(records)
    fixed = dict(zip(make_run.FAMILIES, COLOURS, strict=False))
    assert {name: one.colour for name, one in looks(records).items()} == fixed
    for figure in (plots.learning_curves(top=10), plots.hyperparameters(), plots.best_so_far()):
        (legend,) = figure.legends
        seen = set()
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
            found = [one for one in fixed if f"{one}:" in text.get_text()
                     or text.get_text().startswith(f"{one} (")]  # fmt: skip
            for family in found:
                line = hasattr(handle, "get_color")
                colour = handle.get_color() if line else handle.get_facecolors()[0]
                assert to_hex(colour).upper() == fixed[family], text.get_text()
                seen.add(family)
        assert len(seen) >= 3
    (ax,) = plots.family_scores().axes
    for row, colour in enumerate(fixed.values()):
        own = [one for one in ax.collections for _, y in one.get_offsets() if round(y) == row]
        assert {to_hex(one.get_facecolors()[0]).upper() for one in own} == {colour}


def test_families_keep_their_places_whatever_the_order_of_the_search(tmp_path):
    first = read_run(build_run.write_manifest(tmp_path / "a", families=["step", "cosine"]))
    second = read_run(build_run.write_manifest(tmp_path / "b", families=["cosine", "constant"]))
    assert looks(first)["step"] == looks(second)["step"]
    assert looks(first)["cosine"] == looks(second)["cosine"]


def test_forty_families_look_different_from_one_another(tmp_path):
    names = [f"family_{number}" for number in range(40)]
    records = read_run(build_run.write_manifest(tmp_path, families=names))
    found = [(one.colour, one.marker) for one in looks(records).values()]
    assert len(found) == len(set(found)) == 44


@pytest.fixture(scope="module")
def written(searches, tmp_path_factory):
    return save_figures(searches["hyperband"], tmp_path_factory.mktemp("new") / "figures")


def test_the_same_run_gives_the_same_bytes(searches, written, tmp_path):
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        second = save_figures(searches["hyperband"], tmp_path)
    assert [path.name for path in written] == [path.name for path in second]
    for one, other in zip(written, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_figures_are_written_as_svg_and_png_with_a_title_and_without_a_date(written):
    folder = written[0].parent
    assert written[:2] == [folder / "schedules.svg", folder / "schedules.png"]
    assert sorted(folder.iterdir()) == sorted(written)
    svg = (folder / "forest.svg").read_text()
    assert "<title>Better than constant-tuned? Differences over 8 fresh seeds</title>" in svg
    assert "<dc:date>" not in svg
    assert (folder / "forest.png").read_bytes().startswith(b"\x89PNG")


def test_no_state_of_the_users_is_changed_and_no_figure_left_open(searches, tmp_path):
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    save_figures(searches["random 3"], tmp_path)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_a_notebook_shows_the_figure_in_our_style_whatever_its_own_is(searches):
    plot = Plots(searches["random 30"])
    figure = plot.schedules()
    assert isinstance(figure, Figure)
    plain = figure._repr_png_()
    with mpl.rc_context({"xtick.color": "red", "font.size": 20}):
        assert plot.schedules()._repr_png_() == plain
    assert RC["font.size"] != 20


def test_a_picture_is_drawn_into_the_users_axes(searches):
    figure = Figure()
    ax, other = figure.subplots(1, 2)
    plot = Plots(searches["random 30"])
    assert plot.family_scores(ax=ax) is figure
    assert plot.hyperparameters(axes=[ax, other]) is figure
    assert ax.get_legend() is not None
    assert figure.axes == [ax, other]


def test_drawing_needs_no_display_and_no_tensorflow(searches, tmp_path):
    code = (
        "import sys\n"
        "from lrtune.plots.gallery import save_figures\n"
        "from lrtune.records.reader import read_run\n"
        f"save_figures(read_run({str(searches['random 3'].folder)!r}), {str(tmp_path)!r})\n"
        "print([name for name in ('tensorflow', 'keras', 'keras_tuner') if name in sys.modules])\n"
    )
    # A backend that opens windows, and no display to open them on.
    env = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    env["MPLBACKEND"] = "TkAgg"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert (child.stdout.strip(), child.stderr) == ("[]", "")


def test_pictures_are_not_imported_before_they_are_drawn():
    code = "import lrtune, lrtune.run, sys; print('seaborn' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (child.stdout.strip(), child.stderr) == ("False", "")


@pytest.mark.long
def test_three_thousand_trials_are_drawn_without_a_warning(tmp_path):
    records = read_run(make_run.random_run(tmp_path / "run", 3000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, figure in drawn_of(records).items():
            assert (name, look.overlaps(figure)) == (name, [])
