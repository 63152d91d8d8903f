# SPDX-License-Identifier: GPL-2.0-or-later
"""One client's end of the channel."""
import json
import socket
import threading
import time
from typing import Any, Dict, List, Optional

TIMEOUT = 60.0


def rows_of(page: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Of a page of a table, with the names of the columns; null stands for nothing."""
    return [{name: value for name, value in zip(page['columns'], row) if value is not None}
            for row in page['rows']]


class Connection:
    def __init__(self, peer: socket.socket):
        self.socket = peer
        self._buffer = bytearray()
        self._sender: Optional[threading.Thread] = None

    def __enter__(self) -> 'Connection':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()
        if self._sender:
            self._sender.join()

    def send(self, data: bytes) -> None:
        """Send it all, and wait while the agent does not read."""
        self.socket.settimeout(TIMEOUT)
        self.socket.sendall(data)

    def send_aside(self, data: bytes, half_close: bool = False, packet: int = 0) -> None:
        """Send from a thread, so that replies can be read meanwhile: otherwise an agent that
        waits for its reader and a client that waits for the agent would wait for ever.
        `packet` is the number of bytes handed to the socket at once (0: all)."""
        def run() -> None:
            try:
                size = packet or len(data) or 1
                for start in range(0, len(data), size):
                    self.socket.sendall(data[start:start + size])
                if half_close:
                    self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass        # the agent has hung up; the missing replies tell
        if self._sender:
            self._sender.join()
        self._sender = threading.Thread(target=run, daemon=True)
        self._sender.start()

    def _receive(self, deadline: float) -> bool:
        """One recv() into the buffer; False at the end of the stream or of time."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(1 << 18)
        except (socket.timeout, ConnectionError):
            return False
        self._buffer += data
        return bool(data)

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def read_exactly(self, size: int, timeout: float = TIMEOUT) -> bytes:
        """Fewer bytes mean that no more came."""
        deadline = time.monotonic() + timeout
        while len(self._buffer) < size and self._receive(deadline):
            pass
        return self._take(size)

    def read_through(self, mark: bytes, timeout: float = TIMEOUT) -> bytes:
        """Everything up to and including `mark`; without it at the end, it never came."""
        deadline = time.monotonic() + timeout
        searched = 0
        while True:
            found = self._buffer.find(mark, searched)
            if found >= 0:
                return self._take(found + len(mark))
            searched = max(0, len(self._buffer) - len(mark) + 1)
            if not self._receive(deadline):
                return self._take(len(self._buffer))

    def read_line(self, timeout: float = TIMEOUT) -> bytes:
        return self.read_through(b'\n', timeout)

    def unread(self, data: bytes) -> None:
        """Put back what was read: the next read returns it first."""
        self._buffer[:0] = data

    def read_to_end(self, timeout: float = TIMEOUT) -> bytes:
        deadline = time.monotonic() + timeout
        while self._receive(deadline):
            pass
        if time.monotonic() >= deadline:
            return self._take(len(self._buffer)) + b'<the agent did not hang up>'
        return self._take(len(self._buffer))

    def ask(self, request: bytes, timeout: float = TIMEOUT) -> bytes:
        """One request, one reply line."""
        self.send(request)
        return self.read_line(timeout)

    def answer(self, command: str, timeout: float = TIMEOUT, **arguments: Any) -> Any:
        """The whole reply to `command`. `_` in argument names stands for `-`."""
        request = {'execute': command,
                   'arguments': {name.replace('_', '-'): value
                                 for name, value in arguments.items()}}
        line = self.ask(json.dumps(request).encode() + b'\n', timeout)
        if not line.endswith(b'\n'):
            raise TimeoutError(f'{command}: no reply, only {line[:200]!r}')
        return json.loads(line.lstrip(b'\xff'))

    def call(self, command: str, timeout: float = TIMEOUT, **arguments: Any) -> Any:
        """What `command` returns; an error reply raises."""
        reply = self.answer(command, timeout, **arguments)
        if 'error' in reply:
            raise ValueError(reply['error']['desc'])
        return reply['return']

    def rows(self, command: str, timeout: float = TIMEOUT,
             **arguments: Any) -> List[Dict[str, Any]]:
        """All that `command` lists."""
        page = self.call(command, timeout, **arguments)
        rows = rows_of(page)
        while 'next' in page:
            page = self.call(command, timeout, **arguments, cursor=page['next'])
            rows += rows_of(page)
        return rows
