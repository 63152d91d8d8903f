# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands for MongoDB's server, which Debian does not have: what a client's library needs of its
protocol, and the few commands that a worker asks. It cannot show what a real one makes of them.

Arguments: the folder where it notes what it was asked and is told how to behave, and the address
where to listen; none: a socket in the folder.
"""
import socket
import socketserver
import struct
import sys
import threading
from pathlib import Path
from typing import Any, Dict

FOLDER = Path(sys.argv[1])
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
GREETING = {'helloOk': True, 'ismaster': True, 'isWritablePrimary': True,
            'maxBsonObjectSize': 16 << 20, 'maxMessageSizeBytes': 48000000,
            'maxWriteBatchSize': 100000, 'minWireVersion': 0, 'maxWireVersion': 21}
ANSWERS = {'buildInfo': {'version': '7.0.0-standin'}, 'fsync': {'numFiles': 1}, 'ping': {}}
UNAUTHORIZED = {'ok': 0.0, 'errmsg': 'command requires authentication', 'code': 13,
                'codeName': 'Unauthorized'}


def bson(document: Dict[str, Any]) -> bytes:
    body = b''
    for name, value in document.items():
        kind, content = {
            bool: lambda v: (8, bytes([v])),
            int: lambda v: (16, struct.pack('<i', v)),
            float: lambda v: (1, struct.pack('<d', v)),
            str: lambda v: (2, struct.pack('<i', len(v) + 1) + v.encode() + b'\0'),
        }[type(value)](value)
        body += bytes([kind]) + name.encode() + b'\0' + content
    return struct.pack('<i', len(body) + 5) + body + b'\0'


def answer(document: bytes) -> Dict[str, Any]:
    """A command is the name of the first field."""
    command = document[5:].partition(b'\0')[0].decode()
    if command in ('hello', 'isMaster', 'ismaster'):
        return {**GREETING, 'ok': 1.0}
    with open(FOLDER / 'asked', 'a') as asked:
        asked.write(command + (' lock' if b'lock\0' in document else '') + '\n')
    manner = (FOLDER / 'manner').read_text()
    if command == 'fsync' and manner == 'hangs':
        threading.Event().wait()
    if command == 'fsync' and manner == 'refuses':
        return UNAUTHORIZED
    if command not in ANSWERS:
        return {'ok': 0.0, 'errmsg': f'no such command: {command}', 'code': 59}
    return {**ANSWERS[command], 'ok': 1.0}


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while True:
            header = self.rfile.read(16)
            if len(header) < 16:
                return
            length, number, _, kind = struct.unpack('<iiii', header)
            body = self.rfile.read(length - 16)
            if kind == OP_MSG:          # flags, and the kind of the one section
                self.reply(number, OP_MSG, struct.pack('<IB', 0, 0) + bson(answer(body[5:])))
            elif kind == OP_QUERY:      # flags, name of the collection, two numbers
                document = body[4:].partition(b'\0')[2][8:]
                self.reply(number, OP_REPLY,
                           struct.pack('<iqii', 8, 0, 0, 1) + bson(answer(document)))
            else:
                return

    def reply(self, number: int, kind: int, body: bytes) -> None:
        self.wfile.write(struct.pack('<iiii', 16 + len(body), 1, number, kind) + body)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True

    def __init__(self, family: int, address: Any):
        self.address_family = family
        super().__init__(address, Session)


def main() -> None:
    if len(sys.argv) == 2:
        server = Server(socket.AF_UNIX, str(FOLDER / 'mongodb-27017.sock'))
    else:
        host = sys.argv[2]
        server = Server(socket.AF_INET6 if ':' in host else socket.AF_INET, (host, 0))
    (FOLDER / 'listens').touch()
    server.serve_forever()


main()
