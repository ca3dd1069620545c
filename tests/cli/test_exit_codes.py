from __future__ import annotations

import pytest

from cbir import errors
from cli.exit_codes import UsageProblem, exit_code, explain


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CbirError("x"), 1),
        (errors.ImageError(errors.SkipReason.TRUNCATED, "x"), 1),
        (errors.IndexLockedError("x"), 1),
        (errors.IndexWriteError("x"), 1),
        (OSError(28, "No space left on device"), 1),
        (ZeroDivisionError("x"), 1),
        (UsageProblem("x"), 2),
        (errors.IndexMissingError("x"), 4),
        (errors.IndexDamagedError("x"), 4),
        (errors.FingerprintError("x"), 5),
        (errors.BackendError("x"), 7),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error, code):
    assert exit_code(error) == code


def test_an_error_is_one_line_whatever_its_text():
    assert explain(errors.CbirError("two\nlines\t here")) == "error: two lines here"
    assert (
        explain(OSError(28, "No space left on device", "a.html")) == "error: a.html: No space left on device"
    )
    assert "--debug" in explain(ZeroDivisionError("x"))


def test_an_error_has_no_traceback_unless_asked_for(run, monkeypatch):
    assert "Traceback" not in run("search", "x.png", expect=4).output
    assert "Traceback" in run("--debug", "search", "x.png", expect=4).output
    monkeypatch.setenv("CBIR_DEBUG", "1")
    assert "Traceback" in run("search", "x.png", expect=4).output


def test_an_unexpected_error_is_a_line_and_1(run, monkeypatch):
    monkeypatch.setattr("cli.asking.ask", lambda *_words, **_more: 1 / 0)
    assert "unexpected ZeroDivisionError" in run("search", "x.png", expect=1).stderr


def test_ctrl_c_is_130_and_says_how_to_go_on(run, monkeypatch):
    def interrupted(*_words, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.asking.ask", interrupted)
    assert run("search", "x.png", expect=130).stderr == "interrupted, run again to go on\n"


@pytest.mark.parametrize(
    "words", [["search", "x.png", "-k", "0"], ["search"], ["nonsense"], ["index", "build"]]
)
def test_wrong_usage_is_2(run, words):
    run(*words, expect=2)


def test_two_output_formats_at_once_are_wrong_usage(run):
    assert "choose one" in run("search", "x.png", "--json", "--csv", expect=2).stderr
