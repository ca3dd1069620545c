"""The report in a real browser: nothing leaves the file, nothing complains, everything is there and fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

LABELS = [
    "benign",
    "malignant, poorly differentiated, with a name that does not fit anywhere near a bar or a square",
    "<script>alert(1)</script>",
    "良性腫瘍",
    "W" * 60,
]
OVERFLOW = """() => [...document.querySelectorAll("main *, header *")]
    .filter(each => !each.closest("details") && each.getBoundingClientRect().right > innerWidth + 0.5)
    .map(each => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=[3, 5, 26])
def page_file(request, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "evaluation")
        from reported import gallery_of, report_on

        from cbir.evaluation.pairing import compare_studies
        from cbir.evaluation.report import render_report

        names = [*LABELS, *(f"label {number}" for number in range(21))][: request.param]
        gallery = gallery_of(names * 6, [f"p{number // 2}" for number in range(6 * len(names))])
        study = gallery.study()
        compared = [(f"/a/long/path/to/{name * 9}.index", compare_studies(study, study)) for name in "xy"]
        written = tmp_path_factory.mktemp("report") / "report.html"
        written.write_text(render_report(report_on(gallery, compared=compared)), encoding="utf-8")
        return written


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_the_page_opens_alone_and_fits(chromium, page_file, scheme, width):
    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(page_file.as_uri(), wait_until="load")
    widths = page.evaluate("[...document.images].map(each => each.complete ? each.naturalWidth : 0)")
    assert [each for each in requests if not each.startswith("data:")] == [page_file.as_uri()]
    assert complaints == []
    assert len(widths) == 8 * (1 + 5)
    assert min(widths) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOW) == []
    page.close()


def test_colours_follow_the_scheme_and_paper_is_white(chromium, page_file):
    page = chromium.new_page(color_scheme="dark")
    page.goto(page_file.as_uri())
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(16, 19, 21)"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(background) == "rgb(246, 247, 248)"
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.close()


def test_it_prints(chromium, page_file):
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert 2 <= printed.count(b"/Type /Page\n") <= 9
    page.close()


def test_charts_have_words_for_those_who_do_not_see_them(chromium, page_file):
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    charts = "[...document.querySelectorAll('svg:not([aria-hidden])')]"
    assert page.evaluate(f"{charts}.length") >= 4
    assert page.evaluate(f"{charts}.filter(each => !each.getAttribute('aria-label')).length") == 0
    assert page.evaluate("[...document.images].filter(each => !each.alt).length") == 0
    page.close()
