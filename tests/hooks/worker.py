# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker that is spoken to as the agent does it."""
import json
import socket
import subprocess
from pathlib import Path
from typing import Any, Dict

from lib.check import expect


class Worker:
    """`name` is that of the program; it has the rights of user `uid`."""

    def __init__(self, folder: Path, name: str, uid: int):
        self.name = name
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen([str(folder / name), str(uid)], stdin=theirs)
        self._stream = self._ours.makefile('rwb')

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> 'Worker':
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._ours.close()
        status = self._process.wait(10)
        expect(status == 0, f'{self.name} has left with {status}')

    def answer(self, command: str, **arguments: Any) -> Dict[str, Any]:
        """The whole reply."""
        request = {'execute': command, 'arguments': {name.replace('_', '-'): value
                                                     for name, value in arguments.items()}}
        self._stream.write(json.dumps(request).encode() + b'\n')
        self._stream.flush()
        return json.loads(self._stream.readline())

    def call(self, command: str, **arguments: Any) -> Dict[str, Any]:
        reply = self.answer(command, **arguments)
        expect('return' in reply, f'{self.name}, {command}: {reply}')
        return reply['return']
