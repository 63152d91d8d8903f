# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine made of files, and agents that take it for the one they run on.

The machine is a folder: `sys` stands in the place of /sys, `udev` of /run/udev, `dev` of /dev, and
`table` of the agent's own mount table. An agent sees them in a mount namespace of its own, as long
as it lives; what stands in them may change between two requests.
"""
import os
import shutil
import tempfile
from pathlib import Path
from typing import Dict, Iterable, Optional, Sequence

from lib.agent import Agent

# The devices without which programs do not run.
NODES = ('null', 'zero', 'urandom')
MEMORY = '/dev/shm'     # a thousand small files are made there in no time
ENTER = '''set -e
for node in {nodes}; do mount --bind /dev/$node dev/$node; done
mount --bind table /proc/$$/mountinfo
mkdir -p /run/udev
mount --bind udev /run/udev
mount --bind sys /sys
mount --rbind dev /dev
cd "$OLDPWD"
exec env LD_PRELOAD={kernel} MACHINE_TRACE={trace} "$@"'''


class Machine:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix='novacron-machine-',
                                            dir=MEMORY if os.path.isdir(MEMORY) else None))
        self.sys = self.folder / 'sys'
        for name in ('sys', 'udev', 'dev'):
            (self.folder / name).mkdir()
        for name in ('table', *(f'dev/{node}' for node in NODES)):
            (self.folder / name).touch()
        self.reset()

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self) -> None:
        """An empty machine."""
        for name in ('sys', 'udev', 'dev'):
            for path in (self.folder / name).iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name not in NODES:
                    path.unlink()
        for name in ('sys/block', 'sys/dev/block', 'sys/class/block', 'sys/devices', 'udev/data'):
            (self.folder / name).mkdir(parents=True)
        self.set_table('')
        self.minors = 0

    def set_table(self, text: str) -> None:
        (self.folder / 'table').write_text(text, encoding='utf-8')

    def mount(self, device: str, directory: Optional[str] = None, kind: str = 'ext4') -> None:
        directory = directory or '/mnt/' + device.replace(':', '-')
        self.add_to_table(f'30 1 {device} / {directory} rw shared:1 - {kind} /dev/x rw\n')

    def add_to_table(self, text: str) -> None:
        with open(self.folder / 'table', 'a', encoding='utf-8') as table:
            table.write(text)

    def file(self, path: str, text: str = '') -> None:
        place = self.sys / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding='utf-8')

    def make_folder(self, path: str) -> None:
        (self.sys / path).mkdir(parents=True, exist_ok=True)

    def link(self, path: str, target: str) -> None:
        """`target` as it stands in the link."""
        place = self.sys / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(target)

    def link_to(self, path: str, target: str) -> None:
        """A relative link to something in /sys, as the kernel makes them."""
        self.link(path, os.path.relpath(self.sys / target, (self.sys / path).parent))

    def drive(self, function: str, driver: Optional[str]) -> None:
        """The PCI function with this folder has this driver."""
        self.make_folder(function)
        if driver:
            self.make_folder(f'bus/pci/drivers/{driver}')
            self.link_to(f'{function}/driver', f'bus/pci/drivers/{driver}')

    def device(self, path: str, name: str, has_node: bool = True,
               properties: Optional[Dict[str, str]] = None, number: Optional[str] = None) -> str:
        """A block device, mounted; its number is returned."""
        self.minors += 1
        number = number or f'8:{self.minors}'
        major, minor = number.split(':')
        if has_node:
            self.file(f'{path}/uevent', f'MAJOR={major}\nMINOR={minor}\n'
                      f'DEVNAME={name.replace("!", "/")}\nDEVTYPE=disk\n')
        self.file(f'{path}/dev', number + '\n')
        self.link_to(f'{path}/subsystem', 'class/block')
        self.link_to(f'class/block/{name}', path)
        self.link_to(f'dev/block/{number}', path)
        if properties:
            lines = ''.join(f'E:{key}={value}\n' for key, value in properties.items())
            (self.folder / 'udev/data' / f'b{number}').write_text('I:1\n' + lines,
                                                                   encoding='utf-8')
        self.mount(number)
        return number

    def disk(self, path: str, size: Optional[str] = '8\n', slaves: Optional[Iterable[str]] = (),
             partitions: Iterable[str] = (), name: Optional[str] = None, **more: object) -> str:
        """A disk with its partitions; returns its path."""
        name = name or os.path.basename(path)
        self.make_folder(path)
        if size is not None:
            self.file(f'{path}/size', size)
        if slaves is not None:
            self.make_folder(f'{path}/slaves')
            for slave in slaves:
                self.link_to(f'{path}/slaves/{os.path.basename(slave)}', slave)
        self.device(path, name, **more)
        self.link_to(f'block/{name}', path)
        for partition in partitions:
            self.device(f'{path}/{partition}', partition)
        return path

    def agent(self, program: Sequence[str], kernel: Path, label: str) -> Agent:
        """Not yet started."""
        script = ENTER.format(nodes=' '.join(NODES), kernel=kernel,
                              trace=f'/run/udev/{trace_name(label)}')
        return Agent(['unshare', '--mount', 'sh', '-c', f'cd {self.folder}\n{script}', 'sh',
                      *program])

    def asked(self, label: str) -> bytes:
        """The NVMe commands of an agent."""
        path = self.folder / 'udev' / trace_name(label)
        return path.read_bytes() if path.exists() else b''


def trace_name(label: str) -> str:
    return f'trace-{label}'
