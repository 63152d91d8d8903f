# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent on a unix socket in a temporary folder of its own.

The folder holds the socket, `state/` (the state directory), `log` (what the agent
printed) and `files/`, which is its working directory: a request may name a file by a
relative path and stay inside.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from lib.connection import Connection

START_TIMEOUT = 20.0
STOP_TIMEOUT = 10.0
SANITIZER_REPORT = re.compile(rb'(Sanitizer|runtime error:|\(process:\d+\): .*CRITICAL).*')


def base_environment() -> Dict[str, str]:
    """A fixed locale and time zone; the machine's own configuration file is not read."""
    return dict(os.environ, LC_ALL='C', TZ='UTC', QGA_CONF='/nonexistent/qemu-ga.conf')


class Agent:
    """`program` is the agent's argument vector so far; what names the socket is appended."""

    def __init__(self, program: Sequence[str], arguments: Sequence[str] = (),
                 environment: Optional[Mapping[str, str]] = None,
                 user: Optional[str] = None):
        self.folder = Path(tempfile.mkdtemp(prefix='novacron-'))
        self.socket = self.folder / 'socket'
        self.state = self.folder / 'state'
        self.files = self.folder / 'files'
        self.log = self.folder / 'log'
        self.state.mkdir()
        self.files.mkdir()
        self.program = list(program)
        self.arguments = list(arguments)
        self.environment = {**base_environment(), **(environment or {})}
        self.user = user
        self.process: Optional[subprocess.Popen] = None

    def __enter__(self) -> 'Agent':
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def channel_arguments(self) -> List[str]:
        return ['-m', 'unix-listen', '-p', str(self.socket)]

    def command(self) -> List[str]:
        return [*self.program, *self.channel_arguments(), '-t', str(self.state),
                '-f', str(self.state / 'pid'), *self.arguments]

    def start(self) -> 'Agent':
        privileges: Dict[str, object] = {}
        if self.user:
            self._give_folder_to(self.user)
            privileges = {'user': self.user, 'group': 'nogroup', 'extra_groups': []}
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.files, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **privileges)
        return self

    def _give_folder_to(self, user: str) -> None:
        for path in (self.folder, *self.folder.rglob('*')):
            shutil.chown(path, user)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def connect(self, path: Optional[Path] = None) -> Connection:
        """The listening socket appears a moment after the start, hence the patience."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                peer.connect(str(path or self.socket))
                return Connection(peer)
            except OSError as error:
                peer.close()
                if not self.is_running():
                    raise RuntimeError(f'the agent has ended: {self.last_words()}') from error
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.002)

    def stop(self) -> Optional[int]:
        """End the agent and return its exit status; None if it never ran or had to be killed
        because its file systems count as frozen: it ignores SIGTERM then."""
        if self.process is None:
            return None
        if self.process.poll() is None and (self.state / 'qga.state.isfrozen').exists():
            self.process.kill()
            self.process.wait()
            self.process = None
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def last_words(self) -> str:
        text = self.log.read_text(errors='replace') if self.log.exists() else ''
        return f'status {self.process.poll() if self.process else None}, {text[-600:]!r}'

    def complaint(self) -> Optional[str]:
        """What a stopped agent died of, or what a sanitizer or GLib found; None if all is well."""
        if self.process is not None and self.process.returncode not in (0, None):
            return self.last_words()
        found = SANITIZER_REPORT.search(self.log.read_bytes()) if self.log.exists() else None
        return found.group(0).decode(errors='replace') if found else None
