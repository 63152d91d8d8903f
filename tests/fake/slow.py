# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that keep a reader or a writer waiting: other sessions must not wait with it."""
import os
import shutil
import time
from typing import Dict, List, Optional, Sequence

from cases import CPU, MEMORY, request
from lib import suite
from lib.agent import Agent
from tree import Stage, Tree

PING = b'{"execute": "guest-ping"}\n'
PONG = b'{"return": {}}\n'
PATIENCE = 1.0      # for an answer on a busy machine
DELAY = 3.0

# Where a FIFO stands that nobody writes to yet, and what is answered when there is nothing in it.
READERS: Dict[str, 'tuple[str, bytes]'] = {
    'guest-get-cpustats': ('proc/stat', b'{"return": []}'),
    'guest-get-diskstats': ('proc/diskstats', b'{"return": []}'),
    'guest-network-get-route': ('proc/net/route', b'ipv6_route'),
    'guest-network-get-interfaces': ('proc/net/dev', b'"lo"'),
    'guest-get-vcpus': (f'{CPU}/cpu1/online', b'Illegal seek'),
    'guest-get-memory-blocks': (f'{MEMORY}/memory1/state', b'Illegal seek'),
}
WRITERS = [
    request('guest-set-vcpus', vcpus=[{'logical-id': 1, 'online': False}]),
    request('guest-set-memory-blocks', mem_blks=[{'phys-index': 1, 'online': False}]),
]
WRITTEN: Tree = {f'{CPU}/cpu1/online': b'1', f'{MEMORY}/memory1/state': b'online'}


class Pair:
    """An agent with two sessions."""

    def __init__(self, program: Sequence[str]):
        self.agent = Agent(program)
        second = self.agent.folder / 'second'
        configuration = self.agent.folder / 'agent.conf'
        configuration.write_text(f'[novacron]\nsessions=unix-listen:{second}\n')
        self.agent.arguments = ['-c', str(configuration)]
        self.agent.start()
        self.first = self.agent.connect()
        self.second = self.agent.connect(second)

    def close(self) -> None:
        self.first.close()
        self.second.close()
        self.agent.__exit__()

    def problem_while_waiting(self, asked: bytes) -> Optional[str]:
        """Ask one thing in the first session, which takes its time, and ping in the second."""
        self.first.send(asked + b'\n')
        time.sleep(0.1)
        began = time.monotonic()
        answer = self.second.ask(PING)
        seconds = time.monotonic() - began
        return None if answer == PONG and seconds < PATIENCE else f'{answer!r} in {seconds:.1f} s'


def read_slowly(stage: Stage, pair: Pair, command: str) -> Optional[str]:
    place, expected = READERS[command]
    path = stage.folder / place
    stage.put({})
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    problem = pair.problem_while_waiting(request(command))
    os.close(os.open(path, os.O_WRONLY))        # waits for the reader, who then meets the end
    answer = pair.first.read_line(PATIENCE)
    return problem or (None if expected in answer else f'answers {answer!r}')


def write_slowly(stage: Stage, program: Sequence[str], asked: bytes) -> Optional[str]:
    stage.put(WRITTEN)
    delays = ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=pwrite64',
              '-e', f'inject=pwrite64:delay_enter={int(DELAY * 1e6)}']
    pair = Pair([*delays, *stage.under(), *program])
    try:
        began = time.monotonic()
        problem = pair.problem_while_waiting(asked)
        answer = pair.first.read_line(DELAY + PATIENCE)
        if time.monotonic() - began < DELAY:
            return 'nothing was delayed'
        return problem or (None if b'"return"' in answer else f'answers {answer!r}')
    finally:
        pair.close()


def run(report: suite.Suite, program: List[str]) -> None:
    stage = Stage()
    pair = Pair([*stage.under(), *program])
    for command in READERS:
        report.judge(f'others go on during {command}', read_slowly(stage, pair, command))
    pair.close()
    if shutil.which('strace'):
        for asked in WRITERS:
            report.judge(f'others go on during {asked.decode()}',
                         write_slowly(stage, program, asked))
    stage.close()
