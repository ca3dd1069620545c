from __future__ import annotations

import os
import signal

import pytest

from cli.progress import ProgressDisplay
from indexer.ingesting.account import Progress

PROGRESS = Progress(found=5, indexed=3, unchanged=0, duplicate=1, skipped=1, acknowledged=4)


def test_off_a_terminal_progress_is_a_plain_line_now_and_then(capsys, monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr("cli.progress.time.monotonic", lambda: next(clock))
    with ProgressDisplay(lambda: 5) as display:
        for _ in range(8):
            assert display(PROGRESS) is False
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 4
    assert "3 indexed" in lines[0]
    assert "4 committed" in lines[0]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_to_stop_and_the_second_stops(number, capsys):
    before = signal.getsignal(number)
    with ProgressDisplay(lambda: 5) as display:
        assert display(PROGRESS) is False
        os.kill(os.getpid(), number)
        assert display(PROGRESS) is True
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before
    assert "will be kept" in capsys.readouterr().err


def test_before_the_first_file_ctrl_c_is_immediate():
    with ProgressDisplay(lambda: 5), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
