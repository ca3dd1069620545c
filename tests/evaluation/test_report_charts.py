"""Charts: axes, words that fit, values that are not there."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cbir.evaluation.report.charts import (
    N_SLOTS,
    HeatRow,
    Line,
    Mark,
    bar,
    heatmap,
    line_chart,
    marker,
    scatter,
    share_ticks,
    swatch,
)
from cbir.evaluation.report.charts.scale import count_ticks
from cbir.evaluation.report.charts.words import cut, room


def parsed(svg: str) -> ET.Element:
    assert "nan" not in svg
    return ET.fromstring(svg)  # noqa: S314 (our own)


def of_class(svg: str, name: str) -> list[ET.Element]:
    return [each for each in parsed(svg).iter() if name in each.get("class", "").split()]


@pytest.mark.parametrize(
    ("highest", "last"), [(0.0, 0.01), (0.013, 0.015), (0.3, 0.3), (0.51, 0.6), (1.0, 1.0), (7.0, 1.0)]
)
def test_ticks_of_shares_start_at_0_and_cover_the_highest(highest, last):
    ticks = share_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] >= min(highest, 1)
    assert ticks[-1] <= max(1.25 * last, last + 0.02)
    assert len(ticks) <= 7
    assert np.diff(ticks) == pytest.approx(ticks[1])


@pytest.mark.parametrize("last", [1, 2, 10, 11, 37, 100, 1000])
def test_ticks_of_counts_have_both_ends_and_are_few(last):
    ticks = count_ticks(last)
    assert (ticks[0], ticks[-1]) == (1, last)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 12


def test_words_are_cut_by_their_room():
    assert cut("benign", 6) == "benign"
    assert cut("malignant", 6) == "malig…"
    assert room("良性") == 4
    assert cut("良性腫瘍", 5) == "良性…"
    assert room("e\u0301") == 1
    assert cut("\u202e", 20) == r"\u202e"


def test_a_line_with_gaps_and_one_point_is_drawn():
    lines = [Line("p", [0.5], [0.4], [0.6]), Line("random", [0.2], is_reference=True)]
    one = line_chart(lines, x_title="k", y_title="P", alt="<&>")
    assert parsed(one).get("aria-label") == "<&>"
    assert len(of_class(one, "whisker")) == 1
    gap = line_chart(
        [Line("p", [math.nan, 0.5, 0.6], [math.nan] * 3, [math.nan] * 3)], x_title="k", y_title="P", alt=""
    )
    assert len(of_class(gap, "dot")) == 2
    assert of_class(gap, "band") == []


def test_a_higher_value_is_drawn_higher():
    drawn = line_chart([Line("p", [0.2, 0.4])], x_title="k", y_title="P", alt="")
    low, high = (float(dot.get("cy")) for dot in of_class(drawn, "dot"))
    assert high < low


def test_a_bar_is_as_long_as_its_share_of_the_scale():
    drawn = bar(0.3, (0.2, 0.4), [Mark("random", 0.1), Mark("none", math.nan)], alt="a", top=0.5)
    assert [each.get("width") for each in of_class(drawn, "bar")] == ["60.00%"]
    assert [each.get("x1") for each in of_class(drawn, "mark")] == ["20.00%"]
    assert [each.get("x1") for each in of_class(drawn, "whisker")] == ["40.00%", "40.00%", "80.00%"]
    assert of_class(bar(math.nan, None, alt="none"), "bar") == []


def test_a_heatmap_frames_the_same_label_and_leaves_nothing_blank():
    rows = [HeatRow("a", [0.75, 0.25]), HeatRow("b", [math.nan, math.nan])]
    drawn = heatmap(
        rows, ["a", "b"], row_title="q", column_title="h", alt="", beside=HeatRow("all", [0.5, 0.5])
    )
    assert len(of_class(drawn, "same")) == 2
    fullness = [float(each.get("fill-opacity")) for each in of_class(drawn, "cell")]
    assert fullness == pytest.approx([1, 0.333, 0, 0, 0.667, 0.667], abs=1e-3)
    assert "b, a: nothing" in drawn


def test_a_folded_column_does_not_pale_the_others():
    rows = [HeatRow("a", [0.1, 0.9])]
    drawn = heatmap(rows, ["a", "others"], row_title="q", column_title="h", alt="")
    assert [each.get("fill-opacity") for each in of_class(drawn, "cell")] == ["1.000", "1.000"]


@pytest.mark.parametrize("n", [2, 5, 25])
def test_a_heatmap_stays_in_its_frame(n):
    names = [f"{'W' * 30} {number}" for number in range(n)]
    rows = [HeatRow(name, [1 / n] * n) for name in names]
    drawn = heatmap(rows, names, row_title="q", column_title="h", alt="")
    _, _, width, height = map(float, parsed(drawn).get("viewBox").split())
    for cell in of_class(drawn, "cell"):
        assert 0 <= float(cell.get("x")) <= width - float(cell.get("width"))
        assert 0 <= float(cell.get("y")) <= height - float(cell.get("height"))


@pytest.mark.parametrize("points", [[[0, 0]], [[0, 0], [0, 5]], [[-3, 1], [4, 1], [0, 2]]])
def test_points_stay_in_their_frame(points):
    drawn = scatter(np.array(points, dtype=float), [0] * len(points), lambda row: f"<{row}>", alt="")
    _, _, width, height = map(float, parsed(drawn).get("viewBox").split())
    for point in of_class(drawn, "point"):
        assert 0 < float(point.get("cx")) < width
        assert 0 < float(point.get("cy")) < height


def test_every_slot_has_its_own_shape():
    shapes = {re.sub(r"c\d", "", marker(slot)) for slot in range(N_SLOTS)}
    assert len(shapes) == N_SLOTS - 1  # the first and the last, "other", are both discs


@pytest.mark.parametrize("kind", ["bar", "band", "line", "reference", "random", "majority", "whisker"])
def test_legends_are_not_read_out(kind):
    assert parsed(swatch(kind)).get("aria-hidden") == "true"
