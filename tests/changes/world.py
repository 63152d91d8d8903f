# SPDX-License-Identifier: GPL-2.0-or-later
"""The small world that an agent sees under shield.py: stubs for programs, users and their homes."""
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from lib.agent import Agent
from shield import FOLDERS

SHIELD = Path(__file__).resolve().parent / 'shield.py'

USERS = {'root': (0, 0), 'bob': (2001, 2001), 'eve': (2002, 2002), '-dash': (2003, 2001),
         'homeless': (2004, 2001), 'relative': (2005, 2001), 'lost': (2006, 2001),
         'filed': (2007, 2001)}
PASSWD = """root:x:0:0:root:/home/root:/bin/sh
bob:x:2001:2001:Bob:/home/bob:/bin/sh
eve:x:2002:2002::/home/eve:/bin/sh
-dash:x:2003:2001::/home/-dash:/bin/sh
homeless:x:2004:2001:::/bin/sh
relative:x:2005:2001::home/bob:/bin/sh
lost:x:2006:2001::/home/absent:/bin/sh
filed:x:2007:2001::/home/file:/bin/sh
"""
GROUP = 'root:x:0:\nbob:x:2001:eve\neve:x:2002:bob\nmany:x:2100:bob,eve\n'


class Node(NamedTuple):
    """A file of any kind; `text` is a file's content, or where a link leads."""
    kind: str = 'file'              # or folder, link, fifo, stub, null, zero
    text: bytes = b''
    mode: int = 0o644
    owner: int = 0
    group: int = 0


@dataclass
class Setting:
    """What is there when a request comes. Paths are relative to the world."""
    nodes: Dict[str, Node] = field(default_factory=dict)
    told: Dict[str, List[str]] = field(default_factory=dict)


DEVICES = {'null': os.makedev(1, 3), 'zero': os.makedev(1, 5)}


class World:
    def __init__(self, stub: Path):
        self.folder = Path(tempfile.mkdtemp(prefix='novacron-world-'))
        self.stub = stub
        for name in FOLDERS:
            (self.folder / name).mkdir()
        self._write('etc/passwd', PASSWD)
        self._write('etc/group', GROUP)
        self._write('etc/nsswitch.conf', 'passwd: files\ngroup: files\ninitgroups: files\n')
        self.set(Setting())

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding='utf-8')

    def set(self, setting: Setting) -> None:
        """Forget everything but the users and make it as told."""
        for name in FOLDERS:
            if name != 'etc':
                for path in (self.folder / name).iterdir():
                    remove(path)
        for name in ('run/told', 'sys/power'):
            (self.folder / name).mkdir(parents=True)
        for name, node in setting.nodes.items():
            self._make(self.folder / name, node)
        for name, lines in setting.told.items():
            self._write(f'run/told/{name}', '\n'.join(lines))

    def _make(self, path: Path, node: Node) -> None:
        if node.kind == 'folder':
            path.mkdir()
        elif node.kind == 'link':
            path.symlink_to(os.fsdecode(node.text))
        elif node.kind == 'fifo':
            os.mkfifo(path)
        elif node.kind in DEVICES:
            os.mknod(path, stat.S_IFCHR | 0o666, DEVICES[node.kind])
        elif node.kind == 'stub':
            shutil.copyfile(self.stub, path)
        else:
            path.write_bytes(node.text)
        os.lchown(path, node.owner, node.group)
        if node.kind != 'link':
            path.chmod(node.mode)

    def calls(self) -> bytes:
        """How programs were called."""
        path = self.folder / 'run/calls'
        return path.read_bytes() if path.exists() else b''

    def tree(self, name: str) -> List[Tuple[object, ...]]:
        """Everything below a folder that a client can have changed."""
        found = []
        for path in sorted((self.folder / name).rglob('*')):
            info = path.lstat()
            text: Optional[bytes] = None
            if stat.S_ISREG(info.st_mode):
                text = path.read_bytes() if info.st_size < 1 << 26 else b'large'
            elif stat.S_ISLNK(info.st_mode):
                text = os.readlink(path).encode()
            found.append((str(path.relative_to(self.folder)), oct(info.st_mode), info.st_uid,
                          info.st_gid, text))
        return found

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def agent(self, program: Sequence[str], arguments: Sequence[str] = (),
              under: Sequence[str] = ()) -> Agent:
        """An agent in this world, not yet started; `under`: through that command."""
        command = [*under, sys.executable, str(SHIELD), str(self.folder), *program]
        agent = Agent(command, arguments)
        agent.environment = {'LC_ALL': 'C', 'TZ': 'UTC', 'QGA_CONF': '/absent', 'ODD': ' a=b '}
        return agent


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
