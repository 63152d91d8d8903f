# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's end of an agent's channel: a unix socket that QEMU listens on.

Unlike a socket of the agent's own, it may still carry answers meant for a client that left;
sync() drops them.
"""
import base64
import json
import random
import socket
from typing import Any

from lib.connection import Connection

RESYNC = b'\xff'
PATIENCE = 20.0


class Channel(Connection):
    def __init__(self, path: str) -> None:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(path)
        super().__init__(peer)

    def line(self, patience: float = PATIENCE) -> bytes:
        line = self.read_line(patience)
        if not line.endswith(b'\n'):
            raise TimeoutError('no answer, only %r' % line[:200])
        return line

    def sync(self, patience: float = PATIENCE) -> None:
        number = random.randrange(1, 1 << 48)
        self.send(RESYNC + request('guest-sync-delimited', id=number))
        answer = b'{"return": %d}\n' % number
        while not self.line(patience).endswith(RESYNC + answer):
            pass

    def receive(self) -> Any:
        answer = json.loads(self.line())
        if 'error' in answer:
            raise ValueError(answer['error']['desc'])
        return answer['return']

    def write_file(self, path: str, data: bytes, chunk: int = 1 << 16) -> None:
        handle = self.call('guest-file-open', path=path, mode='w')
        for start in range(0, len(data), chunk):
            piece = data[start:start + chunk]
            result = self.call('guest-file-write', handle=handle,
                               buf_b64=base64.b64encode(piece).decode())
            assert result == {'count': len(piece), 'eof': False}, result
        self.call('guest-file-close', handle=handle)

    def read_file(self, path: str, chunk: int = 1 << 16) -> bytes:
        handle = self.call('guest-file-open', path=path, mode='r')
        pieces, at_end = [], False
        while not at_end:
            result = self.call('guest-file-read', handle=handle, count=chunk)
            pieces.append(base64.b64decode(result['buf-b64'], validate=True))
            assert result['count'] == len(pieces[-1]), result['count']
            at_end = result['eof']
        self.call('guest-file-close', handle=handle)
        return b''.join(pieces)


def request(command: str, **arguments: Any) -> bytes:
    return json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n'
