# SPDX-License-Identifier: GPL-2.0-or-later
"""Killing one task of a program at one of its system calls, by way of strace's injection.

`strace -e inject=CALL:signal=KILL:when=K` kills before the Kth CALL is executed. It has two
traps. K counts every name of a call by itself, so a point is a name and an occurrence. And
with -f it counts for every task by itself and kills them all: the agent first, and a moment
later the guardian, for reaching its own Kth CALL. So the strace that kills never follows
(-f): it is attached to one task, before that task has done anything. A task that is not
there yet is caught at its birth by another strace, which follows everything and stops each
new task at set_robust_list(), the first thing that the C library does in a new process or
thread; then one strace makes way for the other.

Tasks are told apart by the order of their births, because their numbers change from run to
run: process 0 is the one that tracing begins with, process 1 its first descendant; thread 0
is a process's first, and so on. A run that is not quite like the recorded one may not reach
a point; Shot.fired says so.
"""
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

PATIENCE = 20.0
NEWS = 0.1
POLL = 0.002
BIRTH = 'set_robust_list'
BEARING = ('clone', 'clone3', 'fork', 'vfork')
ENTRY = re.compile(r'^(\d+) +(\w+)\(')
BORN = re.compile(r'^(\d+) +(?:<\.\.\. )?(?:clone3?|fork|vfork)\b.* = (\d+)$')
STOPPED = re.compile(r'^(\d+) +--- stopped by SIGSTOP ---')


class Task(NamedTuple):
    process: int
    thread: int


class Point(NamedTuple):
    """Before the `occurrence`th `call` of `task`, counted from 1."""
    task: Task
    call: str
    occurrence: int

    def __str__(self) -> str:
        return f'{self.task.process}.{self.task.thread} {self.call}#{self.occurrence}'


class Family:
    """Which task a task number belongs to."""

    def __init__(self, pid: int):
        self.tasks: Dict[int, Task] = {}
        self.processes: List[int] = []
        self._threads: 'Counter[int]' = Counter()
        others = {int(name) for name in os.listdir(f'/proc/{pid}/task')} - {pid}
        for tid in [pid, *sorted(others)]:
            self.add(tid, pid)

    def add(self, tid: int, pid: int) -> Task:
        if pid not in self.processes:
            self.processes.append(pid)
        self.tasks[tid] = Task(self.processes.index(pid), self._threads[pid])
        self._threads[pid] += 1
        return self.tasks[tid]


class Strace:
    """One strace, attached to running tasks until it is detached or they have ended."""

    def __init__(self, log: Path, pids: Sequence[int], *options: str):
        self.log = log
        words = ['strace', '-o', str(log), *options]
        for pid in pids:
            words += ['-p', str(pid)]
        self._messages = log.with_suffix('.messages')
        with open(self._messages, 'wb') as messages:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=messages,
                                            stderr=messages)
        deadline = time.monotonic() + PATIENCE
        while ' attached' not in self._messages.read_text(errors='replace'):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.detach()
                raise RuntimeError(f'strace: {self._messages.read_text(errors="replace")!r}')
            time.sleep(POLL)

    def lines(self) -> List[str]:
        text = self.log.read_text(errors='replace')
        return text[:text.rfind('\n') + 1].splitlines()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def detach(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


class Recorder:
    """Writes down what a process and its descendants call from now on."""

    def __init__(self, pid: int, folder: Path):
        self._family = Family(pid)
        self._strace = Strace(folder / 'recorded', [pid], '-f')

    def points(self) -> List[Point]:
        """Ends the recording. Every call that can be aimed at, in the order of the run."""
        self._strace.detach()
        lines = self._strace.lines()
        leaders = self._leaders(lines)
        points: List[Point] = []
        counts: 'Counter[Tuple[Task, str]]' = Counter()
        for entry in filter(None, map(ENTRY.match, lines)):
            tid, call = int(entry[1]), entry[2]
            if tid in self._family.tasks:
                task = self._family.tasks[tid]
                counts[task, call] += 1
                points.append(Point(task, call, counts[task, call]))
            elif call == BIRTH and tid in leaders:
                self._family.add(tid, leaders[tid])
        return points

    def _leaders(self, lines: Sequence[str]) -> Dict[int, int]:
        """The process of every task that was born. A clone may end in a later line."""
        leaders = {tid: self._family.processes[task.process]
                   for tid, task in self._family.tasks.items()}
        makes_thread: Dict[str, bool] = {}
        threads: Dict[int, int] = {}            # whose maker may be told of in a later line
        for line in lines:
            entry = ENTRY.match(line)
            if entry and entry[2] in BEARING:
                makes_thread[entry[1]] = 'CLONE_THREAD' in line
            born = BORN.match(line)
            if born:
                parent, child = int(born[1]), int(born[2])
                if makes_thread.get(born[1]):
                    threads[child] = parent
                else:
                    leaders[child] = child
        for child in threads:
            maker = child
            while maker in threads:
                maker = threads[maker]
            if maker in leaders:
                leaders[child] = leaders[maker]
        return leaders


class Shot:
    """A kill that waits at a point."""

    def __init__(self, pid: int, point: Point, folder: Path):
        self._point = point
        self._folder = folder
        self._family = Family(pid)
        self._killer: Optional[Strace] = None
        self._midwife: Optional[Strace] = None
        self._thread: Optional[threading.Thread] = None
        self._is_over = threading.Event()
        present = {task: tid for tid, task in self._family.tasks.items()}
        if point.task in present:
            self._attach(present[point.task])
            return
        self._midwife = Strace(folder / 'births', [pid], '-f', '-e', f'trace={BIRTH}',
                               '-e', f'inject={BIRTH}:signal=STOP')
        self._thread = threading.Thread(target=self._await_birth, daemon=True)
        self._thread.start()

    @property
    def fired(self) -> Optional[float]:
        """When, on time.monotonic()'s clock; None if the point has not been reached."""
        for line in self._killer.lines() if self._killer else ():
            if line.endswith('+++ killed by SIGKILL +++'):
                return float(line.split()[0]) - time.time() + time.monotonic()
        return None

    def withdraw(self) -> None:
        """Nothing is traced or stopped any more."""
        self._is_over.set()
        if self._thread:
            self._thread.join()
        if self._killer:        # a kill that the test has noticed may be news to strace
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._killer.process.wait(NEWS)
        for strace in filter(None, (self._midwife, self._killer)):
            strace.detach()
        for pid in self._family.processes:
            self._continue(pid)

    def _attach(self, tid: int) -> None:
        point = self._point
        self._killer = Strace(
            self._folder / 'shot', [tid], '-ttt', '-e', f'trace={point.call}',
            '-e', f'inject={point.call}:signal=KILL:when={point.occurrence}')

    @staticmethod
    def _continue(pid: Optional[int]) -> None:
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _await_birth(self) -> None:
        midwife = self._midwife
        assert midwife is not None
        seen = 0
        newborn: Set[int] = set()
        while not self._is_over.is_set() and not midwife.has_ended():
            lines = midwife.lines()
            for line in lines[seen:]:
                entry, stopped = ENTRY.match(line), STOPPED.match(line)
                if entry:
                    newborn.add(int(entry[1]))
                elif stopped and int(stopped[1]) in newborn:
                    newborn.remove(int(stopped[1]))
                    if self._is_target(int(stopped[1])):
                        midwife.detach()
                        with contextlib.suppress(RuntimeError):     # it was killed meanwhile
                            self._attach(int(stopped[1]))
                        break
                    self._continue(leader(int(stopped[1])))
            seen = len(lines)
            time.sleep(POLL)
        for entry in filter(None, map(ENTRY.match, midwife.lines())):
            self._continue(leader(int(entry[1])))   # also who was stopped a moment ago

    def _is_target(self, tid: int) -> bool:
        """Whether a task that was stopped at its birth is the one."""
        pid = leader(tid)
        if pid is None:         # it has been killed meanwhile
            return False
        is_known = tid in self._family.tasks        # such a one has executed another program
        task = self._family.tasks[tid] if is_known else self._family.add(tid, pid)
        return task == self._point.task


def leader(tid: int) -> Optional[int]:
    """The process that a task is part of."""
    try:
        status = Path(f'/proc/{tid}/status').read_text()
    except OSError:
        return None
    return int(re.search(r'^Tgid:\s+(\d+)', status, re.M)[1])
