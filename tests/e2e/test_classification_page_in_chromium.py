"""The page of a classifier's evaluation in the browser: it fits a phone, and is whole without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

LONG = ("BI-RADS 4c, suspicious; highly: no space" * 2, "良性腫瘍" * 9, "1")

OVERFLOW = """[...document.querySelectorAll('.card *')]
    .filter(each => !each.closest('.scroll') && !each.closest('details') && !each.closest('svg'))
    .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
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


@pytest.fixture(scope="module", params=[3, 26])
def page_file(request, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "classifiers" / "measures")
        from posteriors import table

        from classifiers.evaluation.evaluate import evaluate
        from classifiers.evaluation.judged import judge
        from classifiers.report import Provenance, render_report, report_of

        names = (*LONG, *(f"class {number}" for number in range(23)))[: request.param]
        made = table(120, request.param, ordinal=False)
        made = replace(made, classes=names, labels=tuple(names[int(label) - 1] for label in made.labels))
        judged = judge(made, "made")
        others = [("/a/long/path/" + "to" * 40, judged)] if request.param == 3 else []
        evaluation = evaluate(judged, others=others, repeats=[judged] * 4)
        provenance = Provenance(
            "run", "cbir classify evaluate run", "run", "0f" * 32, "test", 0, {"cbir": "0.1.0"}, "2026-01-01"
        )
        features = np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32)
        written = tmp_path_factory.mktemp("report") / "report.html"
        page = render_report(report_of(evaluation, provenance, features=features))
        written.write_text(page, encoding="utf-8")
        return written


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_the_page_opens_alone_and_fits(chromium, page_file, scheme, width):
    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(page_file.as_uri(), wait_until="load")
    assert requests == [page_file.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOW) == []
    charts = "[...document.querySelectorAll('svg:not([aria-hidden])')]"
    assert page.evaluate(f"{charts}.length") >= 7
    assert page.evaluate(f"{charts}.filter(each => !each.getAttribute('aria-label')).length") == 0
    page.close()


def test_it_prints(chromium, page_file):
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert 2 <= printed.count(b"/Type /Page\n") <= 9
    page.close()
