# SPDX-License-Identifier: GPL-2.0-or-later
"""Hand-written transcripts (*.txt; the format is described in README.md)."""
import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from lib.agent import Agent
from lib.connection import Connection

POLL_INTERVAL = 0.01
POLL_TIMEOUT = 10.0
PATTERNS = {'int': r'-?\d+', 'number': r'-?[\d.]+(?:e[+-]\d+)?', 'text': r'[^"]*',
            'any': '.*'}
PLACEHOLDER = re.compile(r'\$\{(\w+)(?::(\w+))?\}')
BYTE = re.compile(rb'(?<!\\)\\x([0-9a-f]{2})')


class Line(NamedTuple):
    number: int
    mark: str               # '>', '>~' or '<'
    text: str


class Transcript:
    def __init__(self, path: Path):
        self.path = path
        self.lines: List[Line] = []
        self.arguments: List[str] = []
        self.environment: Dict[str, str] = {}
        self.prepare: List[str] = []
        self.under: List[str] = []
        self.only: List[str] = []
        for number, line in joined(path.read_text(encoding='utf-8').splitlines()):
            self._add(number, line)

    def _add(self, number: int, line: str) -> None:
        mark, _, text = line.partition(' ')
        if mark in ('>', '>~', '<'):
            self.lines.append(Line(number, mark, text))
        elif mark == '@':
            self._direct(number, *text.partition(' ')[::2])
        elif line and mark != '#':
            raise ValueError(f'{self.path}:{number}: neither request, reply, directive nor comment')

    def _direct(self, number: int, name: str, value: str) -> None:
        if name == 'arguments':
            self.arguments += shlex.split(value)
        elif name == 'environment':
            variable, _, text = value.partition('=')
            self.environment[variable] = text
        elif name == 'prepare':
            self.prepare.append(value)
        elif name == 'under':
            self.under += shlex.split(value)
        elif name == 'only':
            self.only += value.split()
        else:
            raise ValueError(f'{self.path}:{number}: no directive {name}')


def joined(lines: Sequence[str]) -> List[Tuple[int, str]]:
    """Numbered lines, with continuation lines appended to the line that they continue."""
    found: List[Tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if line.startswith('  ') and found:
            found[-1] = (found[-1][0], f'{found[-1][1]} {line.strip()}')
        else:
            found.append((number, line))
    return found


def to_bytes(text: str) -> bytes:
    return BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())


class Player:
    def __init__(self, transcript: Transcript, agent: Agent):
        self.transcript = transcript
        self.agent = agent
        self.names = {'DIR': str(agent.files)}

    def play(self) -> Optional[str]:
        helpers = {**os.environ, 'HERE': str(self.transcript.path.parent)}
        for command in self.transcript.prepare:
            subprocess.run(['sh', '-ec', command], cwd=self.agent.files, env=helpers, check=True)
        self.agent.arguments = [self._fill_in(word) for word in self.transcript.arguments]
        for name, value in self.transcript.environment.items():
            self.agent.environment[name] = self._fill_in(value)
        self.agent.start()
        with self.agent.connect() as connection:
            problem = self._talk(connection)
        self.agent.stop()
        return problem or self.agent.complaint()

    def _fill_in(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.names.get(found[1], found[0]), text)

    def _talk(self, connection: Connection) -> Optional[str]:
        lines = self.transcript.lines
        for line, following in zip(lines, [*lines[1:], None]):
            if line.mark == '>':
                connection.send(self._request(line))
            elif line.mark == '<':
                problem = self._match(line, connection.read_line(POLL_TIMEOUT))
                if problem:
                    return problem
            else:
                self._poll(connection, line, following)
        connection.send_aside(b'', half_close=True)
        rest = connection.read_to_end()
        return f'after the last line came {rest!r}' if rest else None

    def _request(self, line: Line) -> bytes:
        return to_bytes(self._fill_in(line.text)) + b'\n'

    def _poll(self, connection: Connection, line: Line, expected: Optional[Line]) -> None:
        """Ask until the answer is the expected one, then once more leave it to be compared."""
        assert expected is not None and expected.mark == '<', f'line {line.number}: no reply'
        deadline = time.monotonic() + POLL_TIMEOUT
        while True:
            reply = connection.ask(self._request(line))
            if self._match(expected, reply) is None or time.monotonic() > deadline:
                connection.unread(reply)
                return
            time.sleep(POLL_INTERVAL)

    def _match(self, line: Line, got: bytes) -> Optional[str]:
        pattern, captured = self._pattern(line.text)
        found = re.fullmatch(pattern + b'\n', got)
        if not found:
            return f'line {line.number} expected {self._fill_in(line.text)} got {got!r}'
        for name in captured:
            self.names[name] = found[name].decode()
        return None

    def _pattern(self, text: str) -> Tuple[bytes, List[str]]:
        """The reply as a regular expression, and the names that it captures."""
        pattern, captured, end = b'', [], 0
        text = self._fill_in(text)
        for found in PLACEHOLDER.finditer(text):
            value = PATTERNS[found[1]]
            if found[2]:
                captured.append(found[2])
                value = f'(?P<{found[2]}>{value})'
            pattern += re.escape(to_bytes(text[end:found.start()])) + value.encode()
            end = found.end()
        return pattern + re.escape(to_bytes(text[end:])), captured


def obstacle(transcript: Transcript, label: str) -> Optional[str]:
    """Why this transcript cannot be played here or by this agent."""
    if transcript.only and label not in transcript.only:
        return f"for {' '.join(transcript.only)} only"
    if transcript.under:
        trial = subprocess.run([transcript.under[0], *transcript.under[1:2], 'true'], check=False,
                               stdin=subprocess.DEVNULL, capture_output=True)
        if trial.returncode:
            return f'{transcript.under[0]} is not permitted here'
    return None


def play(transcript: Transcript, program: Sequence[str]) -> Optional[str]:
    with Agent([*transcript.under, *program]) as agent:
        return Player(transcript, agent).play()
