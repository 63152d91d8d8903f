# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of this suite gets: agents in worlds of their own, with a second session each."""
import json
import os
import re
from pathlib import Path
from typing import Any, List, Optional, Sequence

from lib.agent import Agent
from lib.check import Skip
from lib.connection import Connection
from lib.process import wait_until
from world import Node, Setting, USERS, World

BOB, BOBS = USERS['bob']
HOME, FOLDER, FILE = 'home/bob', 'home/bob/.ssh', 'home/bob/.ssh/authorized_keys'
AT_HOME = {HOME: Node('folder', mode=0o755, owner=BOB, group=BOBS),
           FOLDER: Node('folder', mode=0o700, owner=BOB, group=BOBS)}


def request(command: str, **arguments: Any) -> bytes:
    return json.dumps({'execute': f'guest-{command}', 'arguments': arguments}).encode() + b'\n'


def stubs(*paths: str, **told: List[str]) -> Setting:
    """Programs, and what they are told to do: nothing unless they are named."""
    return Setting({path: Node('stub', mode=0o755) for path in paths}, dict(told))


class Scene:
    """A world and the agent in it."""

    def __init__(self, program: Sequence[str], stub: Path, setting: Setting,
                 arguments: Sequence[str], traced: str):
        self.world = World(stub)
        self.world.set(setting)
        self.trace = self.world.folder / 'trace'
        # The tracer is the agent's child, which can be ended like any other agent.
        under = ['strace', '-D', '-f', '-qq', '-o', str(self.trace), *traced.split()]
        self.agent: Agent = self.world.agent(program, arguments, under if traced else [])
        self.second = self.agent.folder / 'second'
        configuration = self.agent.folder / 'agent.conf'
        configuration.write_text(f'[novacron]\nsessions=unix-listen:{self.second}\n')
        self.agent.environment['QGA_CONF'] = str(configuration)
        self.agent.start()

    def connect(self, second: bool = False) -> Connection:
        return self.agent.connect(self.second if second else None)

    def wait_for_call(self) -> None:
        if not wait_until(lambda: self.world.calls() != b''):
            raise AssertionError('no program was run')

    def system_calls(self) -> List[str]:
        """The trace, after the end of the agent; exit_group must be in it."""
        last = re.compile(rf'^{self.agent.pid} +exit_group', re.M)
        self.agent.stop()
        wait_until(lambda: last.search(self.trace.read_text()) is not None)
        return self.trace.read_text().splitlines()


class Stage:
    def __init__(self, program: Sequence[str], stub: Path):
        if os.geteuid() != 0:
            raise Skip('a world without the machine takes root')
        self.program = list(program)
        self.stub = stub
        self.costs_count = True
        self.scenes: List[Scene] = []
        self._complaint: Optional[str] = None

    def play(self, setting: Setting, arguments: Sequence[str] = (), traced: str = '',
             program: Sequence[str] = ()) -> Scene:
        """A scene, with the program under test unless another is named; `traced`: options for
        strace."""
        scene = Scene(program or self.program, self.stub, setting, arguments, traced)
        self.scenes.append(scene)
        return scene

    def close(self) -> None:
        for scene in self.scenes:
            scene.agent.stop()
            if scene.agent.program[-len(self.program):] == self.program:
                self._complaint = self._complaint or scene.agent.complaint()
            scene.agent.__exit__()
            scene.world.close()

    def complaint(self) -> Optional[str]:
        return self._complaint
