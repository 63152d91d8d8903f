# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator on the host has: novacronctl, over either port of the guest."""
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

from domain import NAME
from guest import die_with_parent
from session import Session
from witness import expect

SHARED, SECOND = "libvirt's port", 'the second port'
PORTS = (SHARED, SECOND)
PATIENCE = 60.0
Done = 'subprocess.CompletedProcess[bytes]'


class Console(NamedTuple):
    session: Session
    novacronctl: str
    folder: Path            # for files of the host
    config: str             # the agent's

    def _address(self, port: str) -> str:
        if port == SHARED:
            return 'libvirt:' + NAME
        return 'unix:' + self.session.domain.socket('second')

    def _command(self, port: str, words: Tuple[str, ...]) -> List[str]:
        return [self.novacronctl, '-c', self._address(port), *words]

    def _options(self) -> Dict[str, Any]:
        libvirtd = self.session.libvirtd
        return {'cwd': self.folder, 'preexec_fn': die_with_parent,
                'env': {**libvirtd.environment, 'LIBVIRT_DEFAULT_URI': libvirtd.uri}}

    def run(self, port: str, *words: str, stdin: bytes = b'') -> Done:
        return subprocess.run(self._command(port, words), input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
                              **self._options())

    def must(self, port: str, *words: str, stdin: bytes = b'') -> str:
        done = self.run(port, *words, stdin=stdin)
        expect(done.returncode == 0, '%s: status %d: %s%s'
               % (' '.join(words), done.returncode, done.stdout.decode(), done.stderr.decode()))
        return done.stdout.decode().strip()

    def begin(self, port: str, *words: str, stdin: int = subprocess.DEVNULL
              ) -> 'subprocess.Popen[bytes]':
        return subprocess.Popen(self._command(port, words), stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **self._options())


def finish(process: 'subprocess.Popen[bytes]') -> Tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def kill(process: 'subprocess.Popen[bytes]') -> None:
    """As nobody can prepare for. What it has started may go on, and hold its streams."""
    process.kill()
    process.wait()
