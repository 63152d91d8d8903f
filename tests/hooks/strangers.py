#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Workers that are asked by hand, and whom somebody hostile tries to make more of."""
import os
import shutil
import socket
import struct
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from lib import check
from lib.check import expect
from worker import Worker

STRANGER = 65534
SOME_USER = 4242
LIMIT_MS = 5000
CAN_SEND_FILES = 0x80   # of a client of MySQL

# Of a server that says it is MySQL 8: version, thread, challenge, what it can, the rest of that.
GREETING = (b'\n8.0.30\0' + struct.pack('<I', 7) + b'12345678\0' + b'\xff\xf7\x21\x02\0\xdf\xff'
            b'\x15' + bytes(10) + b'abcdefghijkl\0mysql_native_password\0')


class Bench:
    """A folder for sockets, which everybody may use."""

    def __init__(self, workers: Path):
        self.workers = workers
        self.folder = Path(tempfile.mkdtemp())
        self.folder.chmod(0o777)
        self.path = self.folder / '.s.PGSQL.5432'   # only PostgreSQL cares for the name

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def complaint(self) -> None:
        """Nothing that a check would not have seen."""

    def ask(self, name: str, uid: int) -> Dict[str, Any]:
        """What a worker answers that is to prepare the server of user `uid`."""
        with Worker(self.workers, f'{name}-worker', 0) as worker:
            return worker.answer('database-prepare', address=str(self.path), uid=uid,
                                 read_lock=False, limit_ms=LIMIT_MS)


class Listener:
    """One client is greeted; what it then says is kept."""

    def __init__(self, path: Path, greeting: bytes):
        self.heard: Optional[bytes] = None     # None: nobody has come
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        path.chmod(0o777)
        self._socket.listen()
        self._greeting = greeting
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            peer = self._socket.accept()[0]
        except OSError:
            return
        with peer:
            size = struct.pack('<I', len(self._greeting))
            peer.sendall(size + self._greeting if self._greeting else b'')
            self.heard = peer.recv(65536)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


@contextmanager
def listener(bench: Bench, uid: int, greeting: bytes = b'') -> Iterator[Listener]:
    os.seteuid(uid)
    try:
        there = Listener(bench.path, greeting)
    finally:
        os.seteuid(0)
    try:
        yield there
    finally:
        there.close()
        bench.path.unlink()


def a_stranger_at_the_path_is_told_nothing(bench: Bench) -> None:
    for name, words in (('mariadb', f'is no socket of user {SOME_USER}'),
                        ('redis', f'is no socket of user {SOME_USER}'),
                        ('postgresql', 'actual peer user name is')):
        with listener(bench, STRANGER) as stranger:
            answer = bench.ask(name, SOME_USER)
        expect(words in answer['error']['desc'], f'{name}: {answer}')
        expect(not stranger.heard, f'{name} has said {stranger.heard!r}')


def a_link_to_a_socket_is_none(bench: Bench) -> None:
    elsewhere = bench.folder / 'elsewhere'
    for name in ('mariadb', 'redis'):
        with listener(bench, 0) as there:
            bench.path.rename(elsewhere)
            bench.path.symlink_to(elsewhere)
            answer = bench.ask(name, 0)
        elsewhere.unlink()
        expect('is no socket' in answer['error']['desc'], f'{name}: {answer}')
        expect(there.heard is None, f'{name} has followed it')


def a_server_cannot_ask_for_a_file(bench: Bench) -> None:
    for uid in (SOME_USER, 0):
        with listener(bench, uid, GREETING) as server:
            bench.ask('mariadb', SOME_USER)
        expect(bool(server.heard), 'nobody has come')
        able = struct.unpack_from('<I', server.heard or b'', 4)[0]
        expect(not able & CAN_SEND_FILES, f'the client can {able:#x}')


CHECKS = [
    a_stranger_at_the_path_is_told_nothing,
    a_link_to_a_socket_is_none,
    a_server_cannot_ask_for_a_file,
]


def main() -> int:
    options = check.parser(__doc__)
    options.add_argument('--workers', required=True, help='the folder of the workers')
    chosen = options.parse_args()
    return check.run_all([sys.modules[__name__]], chosen,
                         lambda: Bench(Path(chosen.workers).resolve()))


if __name__ == '__main__':
    sys.exit(main())
