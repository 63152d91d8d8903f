# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks: functions whose names say what ought to be true, and what such a function gets.

A suite of them is a few modules, each with a list CHECKS, and a program that calls run_all().
"""
import argparse
import subprocess
import time
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, List, Mapping, Optional, Sequence

from lib import suite
from lib.agent import Agent

PING = b'{"execute":"guest-ping"}\n'
PONG = b'{"return": {}}\n'


class Skip(Exception):
    """This machine cannot do what the check needs."""


class TooCostly(AssertionError):
    """Memory or time beyond a bound; sanitizers cost both."""


def expect_cost(condition: bool, message: str) -> None:
    if not condition:
        raise TooCostly(message)


def expect(condition: bool, message: str) -> None:
    """An assertion that survives `python3 -O`."""
    if not condition:
        raise AssertionError(message)


class Check:
    """What a check holds: agents that are stopped and judged when it is over."""

    def __init__(self, program: Sequence[str], full: bool, costs_count: bool = True):
        self.program = list(program)
        self.full = full
        self.costs_count = costs_count
        self.agents: List[Agent] = []
        self._complaint: Optional[str] = None

    def prepare(self, arguments: Sequence[str] = (),
                environment: Optional[Mapping[str, str]] = None) -> Agent:
        """An agent that does not run yet."""
        agent = Agent(self.program, arguments, environment)
        self.agents.append(agent)
        return agent

    def start(self, arguments: Sequence[str] = (),
              environment: Optional[Mapping[str, str]] = None) -> Agent:
        return self.prepare(arguments, environment).start()

    def start_with_sessions(self, count: int = 1) -> 'tuple[Agent, List[Path]]':
        """An agent with further sessions, and their sockets."""
        agent = self.prepare()
        sockets = [agent.folder / f'session-{number}' for number in range(count)]
        configuration = agent.folder / 'agent.conf'
        methods = ';'.join(f'unix-listen:{path}' for path in sockets)
        configuration.write_text(f'[novacron]\nsessions={methods}\n')
        agent.arguments = ['-c', str(configuration)]
        return agent.start(), sockets

    def run(self, *arguments: str) -> 'subprocess.CompletedProcess[str]':
        """The program to its end."""
        return subprocess.run([*self.program, *arguments], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=60, check=False)

    def close(self) -> None:
        for agent in self.agents:
            agent.stop()
            self._complaint = self._complaint or agent.complaint()
            agent.__exit__()

    def complaint(self) -> Optional[str]:
        """What an agent that is closed now had to complain about."""
        return self._complaint


def parser(description: str) -> argparse.ArgumentParser:
    options = suite.parser(description)
    options.add_argument('--match', default='', help='only checks whose name contains this')
    options.add_argument('--list', action='store_true', help='only show the names')
    options.add_argument('--times', action='store_true', help='show how long each check took')
    return options


def problem_of(function: Callable[[Any], None], subject: Any) -> Optional[str]:
    try:
        function(subject)
    except Skip:
        raise
    except TooCostly as error:
        if subject.costs_count:
            return str(error)
    except Exception as error:          # one broken check must not end the others
        return f'{type(error).__name__}: {error}' if str(error) else repr(error)
    finally:
        subject.close()
    return subject.complaint()


def run_all(modules: Sequence[ModuleType], chosen: argparse.Namespace,
            prepare: Callable[[], Any]) -> int:
    """The exit status. `prepare` makes what a check gets: it has close() and then complaint()."""
    checks: List[Callable[[Any], None]] = [
        function for module in modules for function in module.CHECKS
        if chosen.match in function.__name__]
    if chosen.list:
        print('\n'.join(function.__name__ for function in checks))
        return 0
    report = suite.Suite()
    for function in checks:
        started = time.monotonic()
        try:
            report.judge(function.__name__, problem_of(function, prepare()))
        except Skip as reason:
            print(f'{function.__name__}: not run, {reason}')
        if chosen.times:
            print(f'{time.monotonic() - started:6.1f} s {function.__name__}', flush=True)
    return report.finish()
