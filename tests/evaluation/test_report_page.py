"""The page of a report, read as text: nothing from outside, nothing that runs, every word escaped."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from reported import PROVENANCE, gallery_of, jpeg, report_on

from cbir.evaluation.measures import MEASURES
from cbir.evaluation.pairing import compare_studies
from cbir.evaluation.protocol import rank_queries
from cbir.evaluation.report import render_report, report_of
from cbir.evaluation.summary import summarise
from cbir.types import Item

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "\u202eevil\x1b[31m",
    "良性腫瘍",
    "\udcff",
]
GALLERY = gallery_of(list("1223334441" * 6), [f"p{number // 3}" for number in range(60)])


class Tags(HTMLParser):
    """Every start tag with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(report_on(GALLERY))


@pytest.fixture(scope="module")
def hostile() -> str:
    gallery = gallery_of(HOSTILE * 8, [f"p{number // 2}" for number in range(40)])
    strange = replace(
        PROVENANCE,
        title="<b>\x07",
        command="cbir evaluate '</pre><script>'",
        label="<i>",
        index="</title>",
        versions={"<u>": "</u>"},
    )
    other = gallery_of(HOSTILE * 8, [f"p{number // 2}" for number in range(40)], noise=3)
    compared = [("<s>other", compare_studies(gallery.study(), other.study()))] * 2
    return render_report(report_on(gallery, provenance=strange, compared=compared))


@pytest.mark.parametrize("name", ["page", "hostile"])
def test_nothing_is_fetched_and_nothing_runs(name, request):
    tags = Tags(request.getfixturevalue(name))
    assert tags.open == []
    assert {tag for tag, _ in tags.found}.isdisjoint(
        {"script", "link", "iframe", "object", "form", "a", "use"}
    )
    for _, attributes in tags.found:
        assert not [key for key in attributes if key.startswith("on") or key in {"href", "srcset", "action"}]
        assert str(attributes.get("src", "data:image/jpeg;base64,")).startswith("data:image/jpeg;base64,")
    policy = next(each["content"] for _, each in tags.found if "http-equiv" in each)
    assert policy.startswith("default-src 'none'")


def test_no_address_of_elsewhere_is_in_the_page(page):
    words = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", words)


def test_strange_text_is_shown_as_it_is_and_can_always_be_written(hostile):
    hostile.encode("utf-8")
    tags = Tags(hostile)
    for words in (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(2)>',
        r"\u202eevil\x1b[31m",
        r"\udcff",
    ):
        assert words in tags.text
    assert "cbir evaluate '</pre><script>'" in tags.text
    assert {"i", "u", "s"}.isdisjoint(tag for tag, _ in tags.found)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", hostile)


def test_the_page_says_where_its_numbers_come_from(page):
    text = Tags(page).text
    assert "Research use only, not for diagnosis" in text
    for words in (
        PROVENANCE.command,
        PROVENANCE.fingerprint,
        PROVENANCE.split_hash,
        "lesions.index, generation 1",
        "cbir 0.1.0, python 3.11.9",
        PROVENANCE.made,
    ):
        assert words in text


def test_the_headline_stands_beside_chance(page):
    report = report_on(GALLERY)
    found = report.summary.rows["precision"].macro
    text = " ".join(Tags(page).text.split())
    assert f"macro P@5 {found.value:.3f}" in text
    assert f"random {found.random:.3f}" in text
    assert f"always “3” {found.majority:.3f}" in text
    assert "✓ Beats random and the constant majority" in text
    assert "What is no result" not in text
    for note in report.notes:
        assert note[1:] in text


def test_every_measure_is_in_the_table(page):
    report = report_on(GALLERY)
    text = Tags(page).text
    for name in report.summary.rows:
        assert name in MEASURES
    for row in report.summary.rows.values():
        assert f"{row.macro.value:.3f}" in text
        assert f"{row.micro.value:.3f}" in text
    assert "|Δgrade|@5 ↓" in text


def test_a_number_that_does_not_beat_chance_is_no_result():
    report = report_on(gallery_of(list("ab" * 20), [f"p{n}" for n in range(40)], noise=100))
    text = Tags(render_report(report)).text
    assert "✗ No result: it does not beat random or the constant majority" in text
    assert len(report.summary.verdicts) > 1
    for verdict in report.summary.verdicts:
        assert verdict in text


def test_comparisons_come_with_the_corrected_p():
    study = GALLERY.study()
    worse = gallery_of(list("1223334441" * 6), [f"p{n // 3}" for n in range(60)], noise=9).study()
    paired, same = compare_studies(study, worse), compare_studies(study, study)
    report = report_on(GALLERY, compared=[("worse.index", paired), ("same.index", same)])
    assert [each.p_holm for each in report.compared] == [2 * paired.comparison.p_value, 1.0]
    text = Tags(render_report(report)).text
    assert "worse.index" in text
    assert f"{paired.comparison.difference:+.3f}" in text
    assert f"{2 * paired.comparison.p_value:.4f}" in text


def test_without_pictures_or_map_the_page_says_so():
    report = report_on(GALLERY, thumbnail=lambda _: b"", has_map=False)
    tags = Tags(render_report(report))
    assert "img" not in {tag for tag, _ in tags.found}
    assert sum(each.get("class") == "none" for _, each in tags.found) == sum(
        1 + len(each.hits) for each in (*report.extremes.best, *report.extremes.worst)
    )
    assert "No map: it takes the embeddings of at least 10" in tags.text


def test_queries_of_one_group_make_a_page_without_intervals():
    new = [Item(f"q{number}", "/new", label=label, group="new") for number, label in enumerate("12")]
    asked = {"q0": "i000", "q1": "i001"}
    study = rank_queries(
        new, lambda ids, k: GALLERY.search([asked[each] for each in ids], k), 5, gallery=GALLERY.items
    )
    report = report_of(
        study,
        summarise(study),
        PROVENANCE,
        item=GALLERY.item,
        query={each.id: each for each in new}.__getitem__,
        thumbnail=jpeg,
        query_thumbnail=lambda _: b"",
        embeddings=None,
    )
    assert {bar.interval for bar in report.bars} == set(report.curve.intervals) == {None}
    page = render_report(report)
    assert not re.search(r"\bnan\b", page)
    assert "with one group there is no interval" in page


def test_a_class_without_queries_is_shown_without_a_number():
    gallery = gallery_of(["a", "a", "a", "b"], [None] * 4)
    page = render_report(report_on(gallery, has_map=False))
    assert not re.search(r"\bnan\b", page)
    assert "0 queries, 1 in gallery" in Tags(page).text


def test_many_classes_are_folded_in_charts_and_kept_in_the_list():
    labels = [f"label {number % 30}" for number in range(120)] + ["label 3"] * 4
    page = render_report(report_on(gallery_of(labels, [None] * len(labels))))
    text = Tags(page).text
    assert "6 other labels" in text
    assert "6 more, with fewer queries" in text
    assert "21 other labels" in text  # of the map, which has colours for nine
    assert all(f"label {number} " in text for number in range(30))


def test_a_drawn_map_says_so(monkeypatch):
    monkeypatch.setattr("cbir.evaluation.report.map2d.MAX_ITEMS", 20)
    text = Tags(render_report(report_on(GALLERY))).text
    assert "20 of 60 labelled items, drawn at random with seed 0" in " ".join(text.split())


def test_the_same_seed_gives_the_same_page(page):
    assert render_report(report_on(GALLERY)) == page
    assert render_report(report_on(GALLERY, seed=1)) != page


def test_unlabelled_items_are_not_mapped():
    labels = [*("ab" * 10), None, None]
    gallery = gallery_of(labels, [None] * len(labels))
    assert len(report_on(gallery).map.ids) == 20
    assert np.isfinite(report_on(gallery).map.points).all()


def test_importing_the_report_loads_neither_the_map_nor_the_template_engine():
    code = "import sys, cbir.evaluation.report; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"openTSNE", "sklearn", "scipy", "jinja2"}.isdisjoint(done.stdout.split())
