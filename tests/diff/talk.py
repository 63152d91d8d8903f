# SPDX-License-Identifier: GPL-2.0-or-later
"""One agent's answers to a batch, as a list of lines."""
import json
import os
import time
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence

from generate import Batch, Item
from lib.agent import Agent
from lib.connection import Connection

FIRST_MARK = 770_000_000
POLL_INTERVAL = 0.001
TIMEOUT = 30.0


class Segment(NamedTuple):
    """Bytes to send at once, then a guest-exec to follow to its end."""
    data: bytes
    polled: Optional[Item]


def make_files(folder: Path) -> None:
    """What generate.PATHS and generate.PROGRAMS name."""
    (folder / 'text').write_bytes(bytes(range(256)) * 40)
    (folder / 'empty').touch()
    (folder / 'folder').mkdir()
    (folder / 'folder/inner').write_text('inner\n')
    (folder / 'link').symlink_to('text')
    (folder / 'dangling').symlink_to('absent/target')
    (folder / 'script').write_text('#!/bin/sh\necho script $1\n')
    (folder / 'script').chmod(0o755)
    (folder / 'sparse').touch()
    os.truncate(folder / 'sparse', 1 << 20)
    os.mkfifo(folder / 'fifo')


def mark(number: int) -> bytes:
    """A request that nothing generated resembles."""
    return b'{"execute":"guest-sync-delimited","arguments":{"id":%d}}\n' % (FIRST_MARK + number)


def is_mark(line: bytes) -> bool:
    return line.startswith(b'\xff{"return": 770')


def segments(batch: Batch) -> Iterator[Segment]:
    data, marks = b'', 0
    for item in batch.items:
        if item.is_polled:
            yield Segment(data, item)
            data = b''
        elif item.is_garbage and batch.is_aligned:
            marks += 2
            data += mark(marks) + item.data + b'\n\xff' + mark(marks + 1)
        else:
            data += item.data
    yield Segment(data, None)


class Talk:
    def __init__(self, connection: Connection, packet: int):
        self.connection = connection
        self.packet = packet
        self.answers = b''

    def hold(self, batch: Batch) -> List[bytes]:
        for segment in segments(batch):
            if segment.polled is None:
                self.connection.send_aside(segment.data, half_close=True, packet=self.packet)
                self.answers += self.connection.read_to_end(TIMEOUT)
            else:
                self._synchronise(segment.data)
                self.answers += self._poll(segment.polled)
        return self.answers.splitlines(keepends=True)

    def _synchronise(self, data: bytes) -> None:
        """Send `data` and read its answers: 0xFF ends whatever garbage may have left open."""
        self.connection.send_aside(data + b'\n\xff' + mark(0), packet=self.packet)
        self.answers += self.connection.read_through(b'\xff{"return": %d}\n' % FIRST_MARK, TIMEOUT)

    def _poll(self, item: Item) -> bytes:
        """All that there is to know of one guest-exec, on one line."""
        answers = [self.connection.ask(item.data, TIMEOUT).rstrip(b'\n')]
        try:
            pid = json.loads(answers[0])['return']['pid']
        except (ValueError, KeyError):
            return answers[0] + b'\n'
        # Only the last has a newline: how often is asked must not show in the line numbers.
        status = b'{"execute":"guest-exec-status","arguments":{"pid":%d}}' % pid
        deadline = time.monotonic() + TIMEOUT
        answer = self.connection.ask(status, TIMEOUT)
        while answer == b'{"return": {"exited": false}}\n' and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL)
            answer = self.connection.ask(status, TIMEOUT)
        answers += [answer.rstrip(b'\n'), self.connection.ask(status + b'\n', TIMEOUT)]
        return b' '.join(answers)


def answers(program: Sequence[str], batch: Batch) -> List[bytes]:
    with Agent(program, batch.arguments) as agent:
        make_files(agent.files)
        agent.start()
        with agent.connect() as connection:
            lines = Talk(connection, batch.packet).hold(batch)
        if not agent.is_running():
            lines.append(f'<the agent has ended: {agent.last_words()}>\n'.encode())
    return lines
