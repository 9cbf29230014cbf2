"""What every picture must be: readable, in the same colours, the same each time, without traces."""

from __future__ import annotations

import subprocess
import sys
import warnings

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from lrtune.plots.gallery import Plots, draw_all, save_figures
from lrtune.plots.hyperparameters import hyperparameters
from lrtune.plots.learning_curves import learning_curves
from lrtune.plots.schedules import schedules
from lrtune.plots.theme import COLOURS, RC, looks
from lrtune.records.reader import read_run
from tests.plots import look, make_run
from tests.records import build_run

ALL = (
    "schedules", "learning-curves", "family-scores", "hyperparameters", "funnel", "best-so-far",
    "tuning-curves", "forest", "importance",
)  # fmt: skip
RUNS = ("random 3", "random 30", "random 300, loss", "hyperband", "hyperband, loss")


@pytest.fixture(scope="module")
def drawn(searches):
    """Every picture of every run, drawn once."""
    return {run: dict(draw_all(records)) for run, records in searches.items()}


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
    assert names("hyperband") == [name for name in ALL if name != "tuning-curves"]
    assert names("random 3") == [
        name for name in ALL if name not in ("funnel", "forest", "importance")
    ]


def test_a_family_has_the_same_colour_in_every_picture(searches):
    records = searches["random 30"]
    fixed = dict(zip(("constant", "time", "step", "exponential"), COLOURS, strict=False))
    assert {name: one.colour for name, one in looks(records).items()} == fixed
    left, _ = hyperparameters(records)
    curves, _ = learning_curves(records, top=10)
    rates = schedules(records, top=10)
    for rank in (str(number) for number in range(1, 11)):
        label = look.line(rates, f"{rank}   ").get_label()
        family = label.split("   ")[1].partition("(")[0]
        for ax in (rates, curves):
            assert look.colour(look.line(ax, f"{rank}   ")) == fixed[family]
    handles = {one.get_label(): one for one in left.figure.legends[0].legend_handles}
    for family, colour in fixed.items():
        (handle,) = [one for label, one in handles.items() if label.startswith(family)]
        assert look.colour(handle) == colour


def test_families_keep_their_places_whatever_the_order_of_the_search(tmp_path):
    first = read_run(build_run.write_manifest(tmp_path / "a", families=["step", "cosine"]))
    second = read_run(build_run.write_manifest(tmp_path / "b", families=["cosine", "constant"]))
    assert looks(first)["step"] == looks(second)["step"]
    assert looks(first)["cosine"] == looks(second)["cosine"]


def test_forty_families_look_different_from_one_another(tmp_path):
    names = [f"family_{number}" for number in range(40)]
    records = read_run(build_run.write_manifest(tmp_path, families=names))
    found = [(one.colour, one.marker, str(one.dashes)) for one in looks(records).values()]
    assert len(found) == len(set(found)) == 44


def test_the_same_run_gives_the_same_bytes(searches, tmp_path):
    first = save_figures(searches["hyperband"], tmp_path / "a")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        second = save_figures(searches["hyperband"], tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_figures_are_written_as_svg_and_png_with_a_title_and_without_a_date(searches, tmp_path):
    folder = tmp_path / "new" / "figures"
    written = save_figures(searches["hyperband"], folder)
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


def test_drawing_imports_neither_tensorflow_nor_pyplot(searches, tmp_path):
    code = (
        "import sys\n"
        "from lrtune.plots.gallery import save_figures\n"
        "from lrtune.records.reader import read_run\n"
        f"save_figures(read_run({str(searches['random 3'].folder)!r}), {str(tmp_path)!r})\n"
        "heavy = ('tensorflow', 'keras', 'keras_tuner', 'matplotlib.pyplot', 'seaborn')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (child.stdout.strip(), child.stderr) == ("[]", "")


@pytest.mark.long
def test_three_thousand_trials_are_drawn_without_a_warning(tmp_path):
    records = read_run(make_run.random_run(tmp_path / "run", 3000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, figure in draw_all(records):
            assert (name, look.overlaps(figure)) == (name, [])
