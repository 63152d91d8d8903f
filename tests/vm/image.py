# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel and an initramfs to boot: Debian's cloud kernel, busybox, the agents, our init.

`basis()` is what every guest has; a suite adds what it needs to it.

The kernel package is downloaded and unpacked into the cache, never installed, and nothing here
needs root. The archive is written uncompressed: that boots quickest under emulation.
"""
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

from lib import oracle

CACHE = oracle.cache().parent
KERNEL = 'linux-image-cloud-amd64'
BUSYBOX = Path('/bin/busybox')
MODULES = ('virtio_pci', 'virtio_console', 'virtio_rng', 'vsock_loopback')
SYSTEM_APPLETS = ('halt', 'hwclock', 'poweroff', 'reboot')    # agents call them by this path
DIRECTORIES = ('bin', 'dev', 'etc/qemu', 'lib/modules', 'lib64', 'proc', 'root', 'run', 'sbin',
               'sys', 'tmp', 'usr/bin', 'usr/sbin', 'var/log', 'var/run')


class Missing(Exception):
    """Something that `contrib/setup test` would have installed, or the network, is not there."""


class Kernel(NamedTuple):
    image: Path
    modules: Path       # lib/modules/VERSION


def run(*command: str, cwd: Optional[Path] = None) -> str:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Missing('%s: %s' % (' '.join(command), done.stderr.strip()[-300:]))
    return done.stdout


def find_kernel() -> Kernel:
    """The newest kernel of the cache; the first time, Debian's current one."""
    place = CACHE / 'kernel'
    with oracle.locked(place):
        if not list(place.glob('lib/modules/*/modules.dep')):
            fetch_kernel(place)
    modules = max(place.glob('lib/modules/*'))
    return Kernel(place / 'boot' / ('vmlinuz-' + modules.name), modules)


def fetch_kernel(place: Path) -> None:
    depends = re.search(r'Depends: (linux-image-\d\S+)', run('apt-cache', 'depends', KERNEL))
    if not depends:
        raise Missing('no package %s (apt-get update?)' % KERNEL)
    run('apt-get', '-q', 'download', depends[1], cwd=place)
    for package in place.glob('*.deb'):
        run('dpkg', '-x', str(package), str(place))
        package.unlink()
    for modules in place.glob('lib/modules/*'):
        run(str(BUSYBOX), 'depmod', '-b', str(place), modules.name)


def module_files(kernel: Kernel, names: Iterable[str]) -> List[str]:
    """The modules' files and those of everything they need, relative to kernel.modules."""
    needs: Dict[str, str] = {}
    for line in (kernel.modules / 'modules.dep').read_text().splitlines():
        path = line.split(':')[0]
        needs[Path(path).stem.replace('-', '_')] = line.replace(':', '')
    return sorted({path for name in names for path in needs[name].split()})


def libraries(command: Sequence[str]) -> List[Path]:
    """What the loader maps for a program, its own loader if the command names one."""
    *loader, program = command
    listing = run(*loader, '--list', program) if loader else run('ldd', program)
    return [Path(path) for path in re.findall(r'(/\S+) \(0x', listing)]


class Archive:
    """A cpio archive in the form the kernel unpacks (newc); who makes it does not matter."""

    def __init__(self) -> None:
        self._parts: List[bytes] = []
        self._names: Dict[str, int] = {}

    def _add(self, name: str, mode: int, data: bytes = b'', owner: int = 0) -> None:
        if name in self._names:
            return
        self._names[name] = len(self._names) + 1
        path = name.encode() + b'\0'
        fields = (self._names[name], mode, owner, owner, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        head = b'070701' + b''.join(b'%08X' % field for field in fields) + path
        for part in (head, data):
            self._parts.append(part + bytes(-len(part) % 4))

    def directory(self, name: str, owner: int = 0) -> None:
        path = Path(name)
        for parent in reversed(path.parents[:-1]):
            self._add(str(parent), stat.S_IFDIR | 0o755)
        if name:
            self._add(name, stat.S_IFDIR | 0o755, owner=owner)

    def link(self, name: str, target: str) -> None:
        self.directory(os.path.dirname(name))
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self.directory(os.path.dirname(name))
        self._add(name, stat.S_IFREG | mode, data)

    def program(self, name: str, command: Sequence[str]) -> None:
        """A program as /usr/sbin/NAME; one with a loader of its own keeps its libraries apart."""
        target = 'usr/sbin/' + name
        if len(command) == 1:
            self.file(target, Path(command[0]).read_bytes(), 0o755)
            self._libraries(command)
            return
        place = 'opt/' + name
        for file in [Path(command[0]), Path(command[-1]), *libraries(command)]:
            self.file('%s/%s' % (place, file.name), file.read_bytes(), 0o755)
        wrapper = '#!/bin/sh\nexec /{0}/{1} --library-path /{0} /{0}/{2} "$@"\n'.format(
            place, Path(command[0]).name, Path(command[-1]).name)
        self.file(target, wrapper.encode(), 0o755)

    def library(self, path: Path) -> None:
        """What a program loads by name while it runs."""
        self.file(str(path).lstrip('/'), path.read_bytes(), 0o755)
        self._libraries([str(path)])

    def _libraries(self, command: Sequence[str]) -> None:
        for library in libraries(command):
            self.file(str(library).lstrip('/'), library.read_bytes(), 0o755)

    def write(self, path: Path) -> None:
        self._add('TRAILER!!!', 0)
        path.write_bytes(b''.join(self._parts))


def basis(kernel: Kernel, programs: Dict[str, Sequence[str]],
          modules: Sequence[str] = ()) -> Archive:
    """`programs` maps names in /usr/sbin to commands of this machine."""
    archive = Archive()
    for name in DIRECTORIES:
        archive.directory(name)
    archive.file('bin/busybox', BUSYBOX.read_bytes(), 0o755)
    for applet in run(str(BUSYBOX), '--list').split():
        archive.link('bin/' + applet, 'busybox')
    for applet in SYSTEM_APPLETS:
        archive.link('sbin/' + applet, '../bin/busybox')
    for name, command in programs.items():
        archive.program(name, command)
    for name in module_files(kernel, [*MODULES, *modules]):
        archive.file('lib/modules/%s/%s' % (kernel.modules.name, name),
                     (kernel.modules / name).read_bytes())
    archive.file('lib/modules/%s/modules.dep' % kernel.modules.name,
                 (kernel.modules / 'modules.dep').read_bytes())
    archive.file('etc/passwd', b'root:x:0:0:root:/root:/bin/sh\n'
                 b'alice:x:1000:1000:Alice:/home/alice:/bin/sh\n')
    archive.file('etc/group', b'root:x:0:\nshadow:x:42:\nalice:x:1000:\n')
    archive.file('etc/hostname', b'guest\n')
    archive.file('etc/os-release', Path('/etc/os-release').read_bytes())
    archive.file('init', (Path(__file__).parent / 'init').read_bytes(), 0o755)
    return archive
