"""An evaluation as a page: what people would rather look at than read."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from core.bench import Figure, Run
from core.errors import BijdehandError
from core.evaluate import LEGS

_BLUE, _RED, _GREY = "#1264a3", "#b3261e", "#8a8f98"
_COLOURS = {"nl": _BLUE, "en": "#e2792b", "all": "#333333"}
_BINS = 10
_LEAST = 5  # questions in a bin; fewer say nothing
_LABELS = ("new", "more", "apply", "solve", "change", "none")


def insist() -> None:
    """Say what is missing before anything is measured."""
    if find_spec("matplotlib") is None:
        raise BijdehandError("For plots, install Bijdehand with them: pip install '.[report]'")


def page(run: Run, figures: Sequence[Figure]) -> str:
    """One HTML file that needs nothing beside it."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.fonttype": "none", "font.family": "sans-serif", "axes.spines.top": False, "font.size": 10}
    mpl.rcParams |= {"axes.spines.right": False, "svg.hashsalt": "bijdehand"}
    shown = Environment(loader=PackageLoader("bots"), autoescape=True, undefined=StrictUndefined)
    plots = [
        ("Right article first", "By words, by vectors, by both; bars are 95 % intervals.", _legs(figures)),
        (
            "Than before",
            "Paired differences from the baseline with 95 % intervals; red is worse.",
            _differences(figures),
        ),
        (
            "Reliability",
            "Of what is said to be right with some chance, how much is; large dots are many.",
            _reliability(run),
        ),
        ("Risk and coverage", "The surer we must be, the fewer answers, and the fewer wrong ones.", _risk(run)),
        ("Moments", "What people say (rows), what was guessed (columns).", _confusion(run)),
    ]
    return shown.get_template("evaluation.html").render(
        run=run,
        figures=[one for one in figures if one.language == "all"],
        plots=[(title, about, svg) for title, about, svg in plots if svg],
        day=datetime.now(UTC).date(),
    )


def _drawn(draw: Callable[[Any], None], width: float = 7, height: float = 4) -> Markup:
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), layout="constrained")
    draw(canvas.subplots())
    written = io.StringIO()
    canvas.savefig(written, format="svg", metadata={"Date": None})
    text = written.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - made by us, of numbers


def _legs(figures: Sequence[Figure]) -> Markup:
    names = [f"right article first: {leg}" for leg in LEGS]

    def draw(axes: Any) -> None:  # noqa: ANN401 - matplotlib's
        for shift, language in enumerate(("nl", "en", "all")):
            found = [one for name in names for one in figures if (one.name, one.language) == (name, language)]
            values = [one.now.value for one in found]
            below = [one.now.value - one.now.low for one in found]
            above = [one.now.high - one.now.value for one in found]
            places = np.arange(len(found)) + (shift - 1) * 0.26
            axes.bar(places, values, 0.24, yerr=[below, above], color=_COLOURS[language], label=language, capsize=3)
        axes.set_xticks(range(len(names)), ["words (BM25)", "vectors", "both"])
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, ncols=3, loc="upper left")

    return _drawn(draw)


def _differences(figures: Sequence[Figure]) -> Markup | None:
    found = [one for one in figures if one.language == "all" and one.difference]
    if not found:
        return None

    def draw(axes: Any) -> None:  # noqa: ANN401 - matplotlib's
        for place, one in enumerate(reversed(found)):
            if one.difference:
                colour = _RED if one.worse else _BLUE if one.better else _GREY
                axes.plot([one.difference.low, one.difference.high], [place, place], color=colour, lw=2)
                axes.plot(one.difference.value, place, "o", color=colour)
        axes.axvline(0, color="#333333", lw=0.8)
        axes.set_yticks(range(len(found)), [one.name for one in reversed(found)])
        widest = max(abs(edge) for one in found if one.difference for edge in (one.difference.low, one.difference.high))
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlim(-1.1 * max(widest, 0.01), 1.1 * max(widest, 0.01))

    return _drawn(draw, height=0.35 * len(found) + 1)


def _reliability(run: Run) -> Markup:
    def draw(axes: Any) -> None:  # noqa: ANN401 - matplotlib's
        axes.plot([0, 1], [0, 1], color=_GREY, lw=0.8, ls="--")
        for language in ("nl", "en"):
            rows = [one for one in run.asked if one.language == language]
            chance, right = np.array([one.chance for one in rows]), np.array([one.right for one in rows])
            bins = np.minimum((chance * _BINS).astype(int), _BINS - 1)
            full = [one for one in range(_BINS) if np.sum(bins == one) >= _LEAST]
            said, was = ([float(of[bins == one].mean()) for one in full] for of in (chance, right))
            many = [float(np.sum(bins == one)) for one in full]
            axes.plot(said, was, color=_COLOURS[language], lw=1)
            axes.scatter(said, was, s=many, color=_COLOURS[language], label=language, alpha=0.8)
        axes.set(xlabel="chance that we say", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
        axes.legend(frameon=False)

    return _drawn(draw, 5, 4.5)


def _risk(run: Run) -> Markup:
    def draw(axes: Any) -> None:  # noqa: ANN401 - matplotlib's
        for language in ("nl", "en", "all"):
            rows = sorted((one for one in run.asked if language in {one.language, "all"}), key=lambda one: -one.chance)
            given = np.arange(1, len(rows) + 1)
            wrong = np.cumsum([not one.right for one in rows]) / given
            axes.plot(given[9:] / len(rows), wrong[9:], color=_COLOURS[language], label=language)
        axes.set(
            xlabel="share of questions answered", ylabel="share of answers that is wrong", xlim=(0, 1), ylim=(0, None)
        )
        axes.legend(frameon=False)

    return _drawn(draw, 5, 4.5)


def _confusion(run: Run) -> Markup | None:
    if not run.told:
        return None
    from sklearn.metrics import ConfusionMatrixDisplay

    def draw(axes: Any) -> None:  # noqa: ANN401 - matplotlib's
        ConfusionMatrixDisplay.from_predictions(
            [one.label for one in run.told],
            [one.guess for one in run.told],
            labels=list(_LABELS),
            ax=axes,
            cmap="Blues",
            colorbar=False,
        )
        axes.set(xlabel="guessed", ylabel="labelled")

    return _drawn(draw, 5, 5)
