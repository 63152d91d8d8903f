# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent that says what the test wants, for what a real one never does."""
import json
import socket
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List

Answer = Callable[[Dict[str, Any]], bytes]


def result(value: Any) -> bytes:
    return json.dumps({'return': value}).encode() + b'\n'


def error(kind: str, text: str) -> bytes:
    return json.dumps({'error': {'class': kind, 'desc': text}}).encode() + b'\n'


class Listener:
    """Talks to clients on `path`, one after the other."""

    def __init__(self, path: Path):
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        self.path.unlink()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                try:
                    self.talk(client)
                except OSError:
                    pass        # the client has left, as it may

    def talk(self, client: socket.socket) -> None:
        raise NotImplementedError


class FakeAgent(Listener):
    """`greeting` is what the channel still holds for a client of before; `answers` are asked by the
    command's name. A command without one is not answered, or refused if it is not one of
    qemu-ga's. `calls` are the names of the commands that came."""

    def __init__(self, path: Path, answers: Dict[str, Answer], greeting: bytes = b''):
        super().__init__(path)
        self.answers = {'guest-sync': lambda arguments: result(arguments['id']), **answers}
        self.greeting = greeting
        self.calls: List[str] = []

    def talk(self, client: socket.socket) -> None:
        client.sendall(self.greeting)
        with client.makefile('rb') as requests:
            for line in requests:
                request = json.loads(line.lstrip(b'\xff'))
                self.calls.append(request['execute'])
                answer = self.answers.get(request['execute'])
                if not answer and request['execute'].startswith('novacron-'):
                    client.sendall(error('CommandNotFound', 'there is no such command'))
                elif answer:
                    client.sendall(answer(request.get('arguments', {})))
