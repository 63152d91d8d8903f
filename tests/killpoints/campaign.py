# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills a program at every system call of a run, and asks after each kill whether all is well.

Those kills come before a call. Some more come at any moment, also in the middle of one.

A scenario says how a run is started, what is done to the program meanwhile and what must be
true afterwards, whether and wherever something was killed; it knows nothing of tracing.
"""
import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Callable, ContextManager, Iterator, List, NamedTuple, Optional, Protocol, \
    Sequence

from lib.suite import Suite
from strace import Point, Recorder, Shot

REACHED = 0.5       # of the points, or what was recorded says little about the other runs
ATTEMPTS = 3
AMBUSHES = 0.2      # the part of the time of a sample
MOMENTS = 40        # at most


class Flaw(NamedTuple):
    """What is wrong after a run. `may_be_noise`: a busy machine can bring it about as well."""
    text: str
    may_be_noise: bool = False


class Run(Protocol):
    """One run of a scenario."""
    pid: int        # what is traced, with its descendants, from the moment that begin() returns

    def drive(self) -> None:
        """Do to the program what the scenario is about; return when nothing is left to do, or
        when the program has been killed."""

    def victims(self) -> Sequence[int]:
        """The processes whose death is what the scenario is about, as far as they live."""

    def judge(self, killed: Optional[float]) -> Optional[Flaw]:
        """What is wrong afterwards, None if nothing. `killed` is the moment of the kill on
        time.monotonic()'s clock, None if nobody was."""


class Scenario(Protocol):
    name: str

    def begin(self) -> ContextManager[Run]:
        """Everything as it is before the first system call of interest."""

    def choose(self, points: Sequence[Point]) -> List[Point]:
        """Those where a kill is what the scenario is about."""


class Kill(Protocol):
    """A Shot or an Ambush."""
    fired: Optional[float]      # when, on time.monotonic()'s clock

    def withdraw(self) -> None: ...


class Depth(NamedTuple):
    """How many of the points are tried: all, or a sample for about that long."""
    seed: int
    seconds: Optional[float] = None
    name: str = ''              # only the point of that name


def reference(scenario: Scenario, folder: Path) -> List[Point]:
    """The points of a run in which nobody is killed; it must go well."""
    with scenario.begin() as run:
        recorder = Recorder(run.pid, folder)
        run.drive()
        points = recorder.points()
        flaw = run.judge(None)
    if flaw:
        raise RuntimeError(f'nobody killed: {flaw.text}')
    return scenario.choose(points)


def kill(scenario: Scenario, aim: Callable[[Run], Kill]) -> 'tuple[bool, Optional[Flaw]]':
    """Whether somebody was killed, and what is wrong then."""
    try:
        with scenario.begin() as run:
            shot = aim(run)
            try:
                run.drive()
            finally:
                shot.withdraw()
            return shot.fired is not None, run.judge(shot.fired)
    except (OSError, RuntimeError, ValueError) as error:
        return False, Flaw(f'no run: {error}', may_be_noise=True)


class Ambush:
    """A kill that waits for a moment."""

    def __init__(self, run: Run, seconds: float):
        self.fired: Optional[float] = None
        self._run = run
        self._timer = threading.Timer(seconds, self._strike)
        self._timer.start()

    def _strike(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            for victim in self._run.victims()[:1]:
                os.kill(victim, signal.SIGKILL)
                self.fired = time.monotonic()

    def withdraw(self) -> None:
        self._timer.cancel()
        self._timer.join()


class Tally:
    """What became of the points, or the moments, of a scenario."""

    def __init__(self) -> None:
        self.tried = self.killed = self.doubtful = self.broken = 0

    def __str__(self) -> str:
        return (f'{self.tried} tried, {self.killed} killed, {self.tried - self.killed} not '
                f'reached, {self.doubtful} late once, {self.broken} broken')


def campaign(scenario: Scenario, depth: Depth, folder: Path, report: Suite) -> None:
    points = _first_success(lambda: reference(scenario, folder), scenario, report)
    if not points:
        report.judge(scenario.name, 'no system call to be killed at')
        return
    tally = Tally()
    for point in _sample(scenario, points, depth):
        _try(f'{scenario.name}, {point}', scenario,
             lambda run: Shot(run.pid, point, folder), report, tally)
    enough = tally.killed >= tally.tried * REACHED
    report.judge(scenario.name, None if enough else 'most points were not reached')
    print(f'{scenario.name}: {len(points)} points, {tally}', flush=True)
    if not depth.name:
        _ambush(scenario, depth, report)


def _ambush(scenario: Scenario, depth: Depth, report: Suite) -> None:
    random_number = random.Random(f'{depth.seed} {scenario.name}, at moments')
    with scenario.begin() as run:
        began = time.monotonic()
        run.drive()
        duration = time.monotonic() - began
    end = time.monotonic() + (depth.seconds * AMBUSHES if depth.seconds else float('inf'))
    tally = Tally()
    while tally.tried < MOMENTS and (time.monotonic() < end or not tally.tried):
        # a cube: most happens soon after the start
        moment = random_number.random() ** 3 * duration
        _try(f'{scenario.name}, after {moment * 1000:.1f} ms', scenario,
             lambda run: Ambush(run, moment), report, tally)
    print(f'{scenario.name}: moments, {tally}', flush=True)


def _first_success(record: Callable[[], List[Point]], scenario: Scenario,
                   report: Suite) -> List[Point]:
    for _ in range(ATTEMPTS):
        try:
            return record()
        except (OSError, RuntimeError, ValueError) as error:
            problem = str(error)
    report.judge(scenario.name, problem)
    return []


def _sample(scenario: Scenario, points: Sequence[Point], depth: Depth) -> Iterator[Point]:
    order = [point for point in points if depth.name in ('', str(point))]
    random.Random(f'{depth.seed} {scenario.name}').shuffle(order)
    end = time.monotonic() + (depth.seconds * (1 - AMBUSHES) if depth.seconds else float('inf'))
    for point in order:
        yield point
        if time.monotonic() > end:
            return


def _try(name: str, scenario: Scenario, aim: Callable[[Run], Kill], report: Suite,
         tally: Tally) -> None:
    """A flaw that may be noise has to show every time."""
    fired, flaw = kill(scenario, aim)
    for _ in range(1, ATTEMPTS):
        if not flaw or not flaw.may_be_noise:
            break
        print(f'{name}, tried again: {flaw.text}', flush=True)
        tally.doubtful += 1
        fired, flaw = kill(scenario, aim)
    tally.tried += 1
    tally.killed += fired
    tally.broken += flaw is not None
    report.judge(f'{name} ({"killed" if fired else "not reached"})', flaw.text if flaw else None)
