# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded exchanges (recorded/*.jsonl; the format is described in recorded/README.md)."""
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from lib.agent import Agent, base_environment
from lib.connection import Connection
from lib.text import difference

SILENCE = 0.06
POLL_INTERVAL = 0.01
POLL_TIMEOUT = 30.0
VERSION = re.compile(rb'"version": "[^"]*"')
TRY_HELP = re.compile(rb"try '[^']*/?[^']* --help'")

Exchange = Dict[str, Any]


def load(folder: Path) -> List[Exchange]:
    return [json.loads(line) for path in sorted(folder.glob('*.jsonl'))
            for line in path.read_text(encoding='utf-8').splitlines() if line]


def lists_commands(exchange: Exchange) -> bool:
    """Whether a reply or an output of it names all commands."""
    text = json.dumps(exchange)
    return 'guest-sync-delimited\\n' in text or '\\"name\\": \\"guest-sync-delimited\\"' in text


def data_of(item: Exchange, key: str) -> bytes:
    if key in item:
        return item[key].encode()
    if key + '_hex' in item:
        return bytes.fromhex(item[key + '_hex'])
    return b''.join((part['text'].encode() if 'text' in part else bytes.fromhex(part['hex']))
                    * part.get('times', 1) for part in item.get(key + '_parts', []))


def fill_in(data: bytes, names: Dict[str, str]) -> bytes:
    for name, value in names.items():
        data = data.replace(b'${%s}' % name.encode(), value.encode())
    return data


def value_at(reply: bytes, path: Sequence[Any]) -> Any:
    """The value in a reply, None if the reply has none there."""
    try:
        value = json.loads(reply)
        for key in path:
            value = value[key]
    except (ValueError, LookupError, TypeError):
        return None
    return value


class Player:
    """Plays one exchange; the first difference ends it."""

    def __init__(self, exchange: Exchange, agent: Agent):
        self.exchange = exchange
        self.agent = agent
        self.names = {'DIR': str(agent.files), 'STATE': str(agent.state)}
        self.connection: Optional[Connection] = None

    def play(self) -> Optional[str]:
        self._prepare()
        self.agent.start()
        self.connection = self.agent.connect()
        try:
            problem = self._talk()
        finally:
            self.connection.close()
        self.agent.stop()
        return problem or self._check_files() or self.agent.complaint()

    def _prepare(self) -> None:
        for folder, key in ((self.agent.files, 'files'), (self.agent.state, 'state_files')):
            for name, text in self.exchange.get(key, {}).items():
                (folder / name).write_bytes(fill_in(text.encode(), self.names))
        for name, digits in self.exchange.get('files_hex', {}).items():
            (self.agent.files / name).write_bytes(bytes.fromhex(digits))

    def _talk(self) -> Optional[str]:
        if 'steps' not in self.exchange:
            return self._last_words(self.exchange)
        for number, step in enumerate(self.exchange['steps']):
            problem = self._step(step)
            if problem:
                return f'step {number}: {problem}'
        return self._last_words({'send': '', 'expect': ''})

    def _last_words(self, item: Exchange) -> Optional[str]:
        self.connection.send_aside(self._sent(item), half_close=True)
        return self._compare(item, self.connection.read_to_end())

    def _sent(self, item: Exchange) -> bytes:
        return fill_in(data_of(item, 'send'), self.names)

    def _expected(self, item: Exchange) -> bytes:
        return fill_in(data_of(item, 'expect'), self.names)

    def _compare(self, item: Exchange, got: bytes) -> Optional[str]:
        if self.exchange.get('mask_version'):
            got = VERSION.sub(b'"version": "${VERSION}"', got)
        return difference(self._expected(item), got)

    def _step(self, step: Exchange) -> Optional[str]:
        if step.get('restart'):
            self.connection.close()
            self.agent.stop()
            self.agent.start()
            self.connection = self.agent.connect()
            return self.agent.complaint()
        if step.get('reconnect'):
            self._reconnect()
            return None
        if 'wait_ms' in step:
            time.sleep(step['wait_ms'] / 1000)
            return None
        if step.get('half_close'):
            problem = self._last_words(step)
            self._reconnect()
            return problem
        if 'until' in step:
            return self._compare(step, self._poll(step))
        if 'capture' in step:
            return self._capture(step)
        self.connection.send(self._sent(step))
        if step.get('silent'):
            return difference(b'', self.connection.read_exactly(1, SILENCE))
        return self._compare(step, self.connection.read_exactly(len(self._expected(step))))

    def _reconnect(self) -> None:
        self.connection.close()
        self.connection = self.agent.connect()

    def _poll(self, step: Exchange) -> bytes:
        deadline = time.monotonic() + POLL_TIMEOUT
        while True:
            reply = self.connection.ask(self._sent(step))
            value = value_at(reply, step['until']['path'])
            if value is None or value == step['until']['equals'] or time.monotonic() > deadline:
                return reply
            time.sleep(POLL_INTERVAL)

    def _capture(self, step: Exchange) -> Optional[str]:
        reply = self.connection.ask(self._sent(step))
        for name, path in step['capture'].items():
            value = value_at(reply, path)
            if value is None:
                return f'no value for {name} in {reply!r}'
            self.names[name] = str(value)
        return None

    def _check_files(self) -> Optional[str]:
        expected = {name: text.encode()
                    for name, text in self.exchange.get('check_files', {}).items()}
        expected.update({name: bytes.fromhex(digits) for name, digits
                         in self.exchange.get('check_files_hex', {}).items()})
        for name, data in expected.items():
            path = self._path(name)
            problem = difference(data, path.read_bytes()) if path.exists() else 'missing'
            if problem:
                return f'file {name}: {problem}'
        for name in self.exchange.get('absent_files', []):
            if self._path(name).exists():
                return f'file {name} is there'
        return None

    def _path(self, name: str) -> Path:
        if name.startswith('@state/'):
            return self.agent.state / name[len('@state/'):]
        return self.agent.files / name


def play_command_line(exchange: Exchange, program: Sequence[str]) -> Optional[str]:
    with tempfile.TemporaryDirectory(prefix='novacron-') as folder:
        names = {'DIR': folder}
        for name, text in exchange.get('files', {}).items():
            Path(folder, name).write_bytes(fill_in(text.encode(), names))
        arguments = [fill_in(word.encode(), names).decode() for word in exchange['argv']]
        environment = {name: fill_in(value.encode(), names).decode()
                       for name, value in exchange.get('env', {}).items()}
        done = subprocess.run([*program, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False, cwd=folder,
                              env={**base_environment(), **environment})
        output = done.stdout.replace(folder.encode(), b'${DIR}')
        complaints = done.stderr.replace(folder.encode(), b'${DIR}')
    if done.returncode != exchange['expect_rc']:
        return f"status {done.returncode} instead of {exchange['expect_rc']}: {complaints!r}"
    if exchange.get('expect_stderr_has', '').encode() not in complaints:
        return f"{exchange['expect_stderr_has']!r} is missing in {complaints!r}"
    output = TRY_HELP.sub(b"try '${PROG} --help'", output)
    return difference(exchange['expect_stdout'].encode(), output)


def play(exchange: Exchange, program: Sequence[str]) -> Optional[str]:
    if 'argv' in exchange:
        return play_command_line(exchange, program)
    with Agent(program, environment=exchange.get('env'),
               user='nobody' if exchange.get('risky') else None) as agent:
        names = {'DIR': str(agent.files), 'STATE': str(agent.state)}
        agent.arguments = [fill_in(word.encode(), names).decode()
                           for word in exchange.get('args', [])]
        return Player(exchange, agent).play()
