# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders that stand in for /proc and /sys/devices/system, and an agent that sees them there."""
import os
import shutil
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

from lib.agent import Agent
from lib.connection import Connection

ANSWER_TIMEOUT = 20.0

# Where a sanitizer looks for its options. The search for leaks would need more of /proc; networks
# and unit tests have it.
ENVIRONMENT = {'proc/self/environ': b'ASAN_OPTIONS=detect_leaks=0\0'}


class Link(NamedTuple):
    target: str


# By path below the folder: the bytes of a file, where a link leads, or None for a folder.
Content = Optional[object]
Tree = Dict[str, Content]


class Stage:
    """Where trees are put. Agents that are under way see each new one."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix='novacron-fake-'))
        self.roots = [self.folder / 'proc', self.folder / 'system']
        for root in self.roots:
            root.mkdir()

    def under(self) -> List[str]:
        """What starts an agent here: with mounts of its own, and a network of its own with a
        loopback device that has addresses."""
        proc, system = self.roots
        script = (f'ip link set lo up && mount --bind {proc} /proc && '
                  f'mount --bind {system} /sys/devices/system && exec "$0" "$@"')
        return ['unshare', '--mount', '--net', 'sh', '-c', script]

    def put(self, tree: Tree) -> None:
        for root in self.roots:
            for path in root.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        for name, content in {**ENVIRONMENT, **tree}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Link):
                os.symlink(content.target, path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.mkdir(exist_ok=True)

    def texts(self, tree: Tree) -> Dict[str, bytes]:
        return {name: (self.folder / name).read_bytes()
                for name, content in tree.items() if isinstance(content, bytes)}

    def restore(self, tree: Tree) -> None:
        """The same files with their first texts: the order of a folder stays what it is."""
        for name, content in tree.items():
            if isinstance(content, bytes):
                (self.folder / name).write_bytes(content)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Actor:
    """An agent that is started again when it dies, which upstream does of some trees."""

    def __init__(self, program: Sequence[str], under: Sequence[str]):
        self.program = [*under, *program]
        self.agent: Optional[Agent] = None
        self.connection: Optional[Connection] = None
        self.deaths: List[str] = []

    def ask(self, request: bytes) -> bytes:
        if self.agent is None or self.connection is None:
            self.agent = Agent(self.program)
            self.agent.start()
            self.connection = self.agent.connect()
        self.connection.send(request + b'\n')
        answer = self.connection.read_line(ANSWER_TIMEOUT)
        return answer if answer else self._bury()

    def _bury(self) -> bytes:
        complaint = self.close() or 'no answer'
        self.deaths.append(complaint)
        return b'died: ' + complaint.encode() + b'\n'

    def close(self) -> Optional[str]:
        """What the agent died of, or what a sanitizer has found."""
        if self.agent is None:
            return None
        if self.connection:
            self.connection.close()
        self.agent.stop()
        complaint = self.agent.complaint()
        self.agent.__exit__()
        self.agent = self.connection = None
        return complaint
