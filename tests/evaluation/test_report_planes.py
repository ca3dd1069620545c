"""Charts over two axes, from the middle outwards, and upwards and downwards."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest

from cbir.evaluation.report.charts import Shape, Trace, histogram, plane, radar


def elements(svg: str, name: str, kind: str = "") -> list[ET.Element]:
    return [each for each in ET.fromstring(svg).iter(name) if kind in str(each.get("class"))]  # noqa: S314 (our own)


def points(element: ET.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in element.get("points").split()]


def lines(traces, **kwargs) -> list[list[tuple[float, float]]]:
    svg = plane(traces, x_title="x", y_title="y", alt="a", **kwargs)
    return [points(each) for each in elements(svg, "polyline")]


def test_a_diagonal_goes_from_corner_to_corner():
    ((start, end),) = lines([Trace("it", [(0, 0), (1, 1)])])
    assert start == (62, 296)
    assert end == (378, 14)


def test_what_lies_below_the_lowest_tick_is_cut_where_it_crosses():
    ticks = [0, 0.5, 1]
    down_and_up = [(0, 0.5), (0.5, -0.5), (1, 0.5)]
    first, second = lines([Trace("it", down_and_up)], y_ticks=ticks)
    bottom = max(y for _, y in first)
    assert first[-1] == (pytest.approx(62 + 0.25 * 316), bottom)
    assert second[0] == (pytest.approx(62 + 0.75 * 316), bottom)
    assert lines([Trace("it", [(0, -1), (1, -2)])], y_ticks=ticks) == []


def test_references_are_drawn_below():
    svg = plane(
        [Trace("it", [(0, 0), (1, 1)], "slot3"), Trace("chance", [(0, 0), (1, 1)], "reference")],
        x_title="x",
        y_title="y",
        alt="a",
    )
    assert [each.get("class") for each in elements(svg, "polyline")] == ["reference", "line slot3"]


def test_a_dot_has_the_area_of_its_share():
    svg = plane([Trace("it", [(0, 0), (1, 1)], dots=[0.2, 0.8])], x_title="x", y_title="y", alt="a")
    small, large = (float(each.get("r")) for each in elements(svg, "circle"))
    assert large / small == pytest.approx(2, abs=0.01)


def test_a_radar_has_a_corner_a_measure_and_stays_inside():
    svg = radar(
        ["a", "<b>", "c"],
        [Shape("it", [1, -0.5, math.nan]), Shape("chance", [0.5] * 3, is_reference=True)],
        alt="x",
    )
    reference, it = (points(each) for each in elements(svg, "polygon") if each.get("class") != "ring")
    assert it == [(200, 30), (200, 158), (200, 158)]
    assert reference[0] == (200, 94)
    assert "<b>" in [each.text for each in elements(svg, "text")]
    assert [
        each.find("{*}title") is not None or each.find("title") is not None
        for each in elements(svg, "circle")
    ] == [True] * 3
    assert not re.search("nan", svg.replace("b: -0.500", "").replace("c: nan", ""))


def test_each_half_of_a_histogram_has_its_own_height():
    svg = histogram([0.5, 0, 0.5, 0], [0.1, 0.9, math.nan, 0], names=("own", "rest"), alt="x")
    own, rest = elements(svg, "rect", "own"), elements(svg, "rect", "rest")
    assert [float(each.get("height")) for each in own] == [56, 56]
    assert [float(each.get("height")) for each in rest] == pytest.approx([56 / 9, 56], abs=0.01)
    assert {float(each.get("y")) + float(each.get("height")) for each in own} == {62}
    assert {float(each.get("y")) for each in rest} == {62}
    empty = histogram([math.nan] * 2, [0.0] * 2, names=("own", "rest"), alt="x")
    assert elements(empty, "rect") == []
