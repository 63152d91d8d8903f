# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of novacronctl gets, and how it judges what was printed."""
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from fake import FakeAgent
from lib.agent import Agent
from lib.text import difference

PATIENCE = 60.0
FAILED, USAGE, NO_ANSWER = 1, 2, 3

Problem = Optional[str]
Done = 'subprocess.CompletedProcess[bytes]'


class Bench:
    """The client to be tested, a running agent and a folder for this side's files. `points` is how
    many of many places a check tries."""

    def __init__(self, client: str, agent: Agent, folder: Path, points: int):
        self.client = client
        self.agent = agent
        self.folder = folder
        self.points = points
        self.socket = agent.socket

    def run(self, *words: str, stdin: bytes = b'', address: str = '') -> Done:
        return self.run_alone('-c', address or f'unix:{self.socket}', *words, stdin=stdin)

    def run_alone(self, *words: str, stdin: bytes = b'', **environment: str) -> Done:
        """Nobody says which agent."""
        return subprocess.run([self.client, *words], cwd=self.folder, input=stdin,
                              env={**os.environ, **environment}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False)

    def fake(self, answers: Dict[str, Callable[[Dict[str, Any]], bytes]],
             greeting: bytes = b'') -> FakeAgent:
        return FakeAgent(self.folder / 'machines', answers, greeting)

    def run_fake(self, *words: str) -> Done:
        return self.run(*words, address=str(self.folder / 'machines'))


def outcome(done: Done, status: int, out: Optional[bytes] = None, err: Optional[bytes] = None,
            says: str = '') -> Problem:
    """`says` must be part of standard error, the others must be equal."""
    if done.returncode != status:
        return f'exit status {done.returncode} instead of {status}: {done.stderr!r}'
    if out is not None and done.stdout != out:
        return f'standard output {difference(out, done.stdout)}'
    if err is not None and done.stderr != err:
        return f'standard error {difference(err, done.stderr)}'
    if says not in done.stderr.decode(errors='replace'):
        return f'{says!r} is not in {done.stderr!r}'
    return None


def parsed(done: Done) -> Any:
    """What was printed as JSON; None if it was not."""
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def first(*problems: Problem) -> Problem:
    return next((problem for problem in problems if problem), None)


def expect(condition: bool, otherwise: str) -> Problem:
    return None if condition else otherwise
