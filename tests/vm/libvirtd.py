# SPDX-License-Identifier: GPL-2.0-or-later
"""A libvirtd of our own, without privileges, and virsh as its client.

It is a session daemon: all that it reads and writes lies below one directory, and it manages QEMU
processes as the unprivileged user it runs as. Those detach themselves; they are found by their
pid files and ended with it.
"""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from guest import die_with_parent

PATIENCE = 60.0
NOBODY = 65534
# QEMU writes its log itself: a virtlogd started for it would outlive us
QEMU_SETTINGS = 'stdio_handler = "file"\n'
FOLDERS = {'HOME': 'home', 'XDG_RUNTIME_DIR': 'run', 'XDG_CONFIG_HOME': 'config',
           'XDG_CACHE_HOME': 'cache', 'XDG_DATA_HOME': 'data'}


class LibvirtFailed(Exception):
    """libvirt itself, not the agent, did not do what it should."""


class Result(NamedTuple):
    status: int
    output: str


class Libvirtd:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._socket = directory / 'run/libvirt/libvirt-sock'
        self._process: Optional['subprocess.Popen[bytes]'] = None
        self.environment = {'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8'}
        for name, folder in FOLDERS.items():
            (directory / folder / 'libvirt').mkdir(parents=True)
            self.environment[name] = str(directory / folder)
        (directory / 'config/libvirt/qemu.conf').write_text(QEMU_SETTINGS)

    def __enter__(self) -> 'Libvirtd':
        return self

    def __exit__(self, *unused: object) -> None:
        self.kill()
        for pid_file in (self.directory / 'run/libvirt/qemu/run').glob('*.pid'):
            pid = int(pid_file.read_text())
            if str(self.directory) in command_line(pid):    # not one that has got its number
                end(pid)

    def start(self) -> None:
        user: Dict[str, object] = {}
        if os.geteuid() == 0:
            user = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
            give_away(self.directory)
        with (self.directory / 'libvirtd.out').open('ab') as log:
            self._process = subprocess.Popen(
                ['libvirtd', '--timeout', '0'], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, env=self.environment, preexec_fn=die_with_parent, **user)
        self._wait_for_socket()

    def _wait_for_socket(self) -> None:
        assert self._process is not None
        until = time.monotonic() + PATIENCE
        while True:
            with socket.socket(socket.AF_UNIX) as peer:
                try:
                    return peer.connect(str(self._socket))
                except OSError:
                    pass
            if self._process.poll() is not None or time.monotonic() > until:
                raise LibvirtFailed('libvirtd does not start: '
                                    + (self.directory / 'libvirtd.out').read_text())
            time.sleep(0.02)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Politely; the guests go on."""
        self.signal(signal.SIGTERM)
        self._reap()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait(PATIENCE)
        self._process = None

    @property
    def uri(self) -> str:
        return 'qemu:///session?socket=%s' % self._socket

    def command(self, *words: str) -> List[str]:
        return ['virsh', '-c', self.uri, *words]

    def virsh(self, *words: str, patience: float = PATIENCE) -> Result:
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment, timeout=patience, check=False)
        return Result(done.returncode, done.stdout.strip())

    def begin(self, *words: str) -> 'subprocess.Popen[str]':
        """virsh in the background; its output waits in a pipe."""
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=self.environment)

    def must(self, *words: str) -> str:
        result = self.virsh(*words)
        if result.status != 0:
            raise LibvirtFailed('virsh %s: %s' % (' '.join(words), result.output))
        return result.output


def give_away(directory: Path) -> None:
    for path in [directory, *directory.rglob('*')]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def command_line(pid: int) -> str:
    try:
        return Path('/proc/%d/cmdline' % pid).read_text(errors='replace')
    except (FileNotFoundError, ProcessLookupError):
        return ''


def end(pid: int) -> None:
    """SIGTERM, and SIGKILL if that does not do within five seconds."""
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.kill(pid, number)
            until = time.monotonic() + 5
            while time.monotonic() < until:
                os.kill(pid, 0)
                time.sleep(0.02)
    except ProcessLookupError:
        pass
