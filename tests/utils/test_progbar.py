"""The progress bar: plain lines, the live bar on a terminal, and how seldom it draws."""

import io
import sys
import time

import pytest
from rich.console import Console

from autograd_nn.utils import Progbar
from autograd_nn.utils import progbar as module


class Terminal(io.StringIO):
    def isatty(self):
        return True


def open_terminal(monkeypatch):
    """A terminal to print on. No fixture, since capturing takes stdout back when the test begins."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr("rich._console", Console(file=screen, force_terminal=True, width=120))
    return screen


class Clock:
    """Time that passes when told."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_a_plain_line_at_the_end(capsys, clock):
    bar = Progbar(3)
    for step in (1, 2, 3):
        clock.now += 0.5
        bar.update(step, [("loss", float(step))])
    assert capsys.readouterr().out == "3/3 - 1s - 500ms/step - loss: 3.0000\n"


def test_the_live_bar(monkeypatch, clock):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(4, stateless_metrics=())
    for step in (1, 2, 3, 4):
        clock.now += 10
        bar.update(step, [("loss", 1 / step), ("accuracy", 1e-5)])
    shown = terminal.getvalue()
    assert "2/4" in shown
    assert "20s" in shown
    assert "10s/step - loss: 0.5000 - accuracy: 1.0000e-05" in shown
    last = [line for line in shown.splitlines() if "4/4" in line][-1]
    assert "━" * 20 in last
    assert "40s" in last
    assert "10s/step - loss: 0.2500" in last
    assert shown.count("\n") == 1


def test_verbose_two_is_a_line_on_a_terminal_too(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(2, verbose=2)
    bar.update(1)
    assert terminal.getvalue() == ""
    bar.update(2)
    assert terminal.getvalue().startswith("2/2 - 0s - ")


def test_a_bar_that_is_broken_off_gives_the_terminal_back(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(2)
    bar.update(1)
    assert sys.stdout is not terminal
    bar.close()
    bar.close()
    assert sys.stdout is terminal
    assert terminal.getvalue().endswith("\x1b[?25h")


def test_silence(capsys):
    bar = Progbar(2, verbose=0)
    bar.update(1, [("loss", 1.0)])
    bar.update(2)
    assert capsys.readouterr().out == ""


def test_redraws_take_a_small_share_of_the_time(clock, monkeypatch):
    open_terminal(monkeypatch)
    drawn = []

    def slow(self, line, refresh=True):
        drawn.append(line)
        clock.now += 0.002

    monkeypatch.setattr("rich.live.Live.update", slow)
    bar = Progbar(10_000)
    for step in range(1, 10_001):
        clock.now += 0.001
        bar.update(step)
    assert len(drawn) > 5
    assert len(drawn) * 0.002 < 10 * 0.01


def test_means_and_last_values(capsys):
    bar = Progbar(3, stateful_metrics=["last"])
    for step in (1, 2, 3):
        bar.update(step, [("last", step), ("mean", step)], finalize=False)
    bar.update(3, finalize=True)
    assert capsys.readouterr().out.endswith(" - last: 3.0000 - mean: 2.0000\n")


def test_steps_at_a_time_and_an_unknown_end(capsys):
    bar = Progbar(None, unit_name="file")
    bar.add(4, [("size", 1.0)])
    bar.add(4, [("size", 3.0)])
    bar.update(8, finalize=True)
    out = capsys.readouterr().out
    assert out.startswith("8/? - ")
    assert "/file - size: 2.0000" in out


@pytest.mark.parametrize(
    "seconds, shown", [(0, "0s"), (59.9, "59s"), (60, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (90061, "25:01:01")]
)
def test_clock(seconds, shown):
    assert module.clock(seconds) == shown


@pytest.mark.parametrize("seconds, shown", [(0, "0s"), (1.4, "1s"), (0.0124, "12ms"), (0.000123, "123us")])
def test_pace(seconds, shown):
    assert module.pace(seconds) == shown
