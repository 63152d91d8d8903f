# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check holds: agents that are stopped and judged when it is over."""
import subprocess
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

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
