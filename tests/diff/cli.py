#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Differential test of everything but the wire: the same generated command lines, configuration
files and state files to the agent and to qemu-ga 11.1. Equal must be exit status, standard output,
standard error, replies and the files left behind, apart from MASKS and what ours_as_theirs() says.
"""
import argparse
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Set

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cli_cases import DIR, Case, Generator
from lib import suite
from lib.agent import base_environment
from lib.process import wait_until

RELEASE = '11.1'
USUAL, FULL = 1_500, 50_000
TIMEOUT = 10.0
SHOWN = 5
HELP_COLUMN = 20

# (pattern, replacement) for what depends on the moment, or on what the program is called.
MASKS = [
    (re.compile(rb'^[^\n]*?: (?=(?:unrecognized |invalid )?option )', re.M), b'PROGRAM: '),
    (re.compile(rb"(?<=try ')[^\n']*(?= --help')"), b'PROGRAM'),
    (re.compile(rb'^\d+\.\d{6}: ', re.M), b'TIME: '),
    (re.compile(rb'\(process:\d+\)'), b'(process:PID)'),
    (re.compile(rb'(?<=\*\*: )\d\d:\d\d:\d\d\.\d{3}'), b'TIME'),
    (re.compile(rb'(?<=qga\.state\.)[A-Za-z0-9]{6}\b'), b'XXXXXX'),
    (re.compile(rb'(?<=Guest agent version )[^\n]*(?= started)'), b'VERSION'),
    # GLib's own lines: old ones make '?' of what the locale lacks, new ones do not.
    (re.compile(rb'(?<=: error loading configuration)[^\n]*'),
     lambda found: re.sub('[^\0-\x7f]', '?', found[0].decode(errors='replace')).encode()),
    # qemu-ga reads on after a bad value; GLib complains of each further one.
    (re.compile(rb'\n\(process:PID\): GLib-WARNING [^\n]*\nThis indicates a bug[^\n]*\n'
                rb'The overwriting [^\n]*\n'), b''),
    # This sentence is our own.
    (re.compile(rb'(?<=WARNING \*\*: TIME: )[^\n]*'), b'SENTENCE'),
]


class Outcome(NamedTuple):
    status: Optional[int]
    stdout: bytes
    stderr: bytes
    replies: bytes
    files: Dict[str, bytes]


def absent_commands() -> Set[str]:
    """What qemu-ga has and this build does not claim to have."""
    text = (suite.ROOT / 'meson.build').read_text(encoding='utf-8')
    found = re.search(r'^qapi_absent = \[(.*?)\]', text, re.M | re.S)
    return set(re.findall(r"'([^']+)'", found[1])) if found else set()


class Run:
    """One program, one case, in a folder of its own."""

    def __init__(self, program: Sequence[str], case: Case):
        self.case = case
        self.folder = Path(tempfile.mkdtemp(prefix='novacron-'))
        self.command = [*program, *(self._filled(word) for word in case.arguments)]

    def outcome(self) -> Outcome:
        try:
            self._make_files()
            return self._run()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _filled(self, text: str) -> str:
        return text.replace(DIR, str(self.folder))

    def _make_files(self) -> None:
        (self.folder / 'state').mkdir()
        for name, content in self.case.files.items():
            (self.folder / name).write_bytes(os.fsencode(self._filled(content)))

    def _run(self) -> Outcome:
        environment = {name: value for name, value in base_environment().items()
                       if not re.search('RPC|LISTEN', name)}
        environment.update((name, self._filled(value))
                           for name, value in self.case.environment.items())
        with open(self.folder / '.out', 'wb') as out, open(self.folder / '.err', 'wb') as err, \
                subprocess.Popen(self.command, cwd=self.folder, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=err) as process:
            replies = self._ask(process) if self.case.requests else b''
            if self.case.waits_for:
                wait_until(lambda: self.case.waits_for in (self.folder / '.err').read_bytes())
                time.sleep(0.1)                 # signals are handled a moment after that
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
        return Outcome(process.returncode, self._take('.out'), self._take('.err'), replies,
                       self._files())

    def _ask(self, process: 'subprocess.Popen[bytes]') -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(TIMEOUT)
            if not self._connect(client, process):
                return b''
            client.sendall(b''.join(self._filled(line).encode() for line in self.case.requests))
            client.shutdown(socket.SHUT_WR)
            replies = self._masked(b''.join(iter(lambda: client.recv(4096), b'')))
        process.send_signal(signal.SIGTERM)
        if self.case.is_frozen:
            time.sleep(0.02)                    # for the signal, which must not end it
            process.kill()
        return replies

    def _connect(self, client: socket.socket, process: 'subprocess.Popen[bytes]') -> bool:
        while process.poll() is None:
            try:
                client.connect(str(self.folder / 'socket'))
                return True
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.002)
        return False

    def _take(self, name: str) -> bytes:
        data = (self.folder / name).read_bytes()
        (self.folder / name).unlink()
        return self._masked(data)

    def _masked(self, data: bytes) -> bytes:
        data = data.replace(str(self.folder).encode(), DIR.encode())
        for pattern, replacement in MASKS:
            data = pattern.sub(replacement, data)
        return data

    def _files(self) -> Dict[str, bytes]:
        """Names and types of everything, modes and contents of plain files."""
        found = {}
        for path in sorted(self.folder.rglob('*')):
            kind = b'%o ' % path.stat().st_mode
            content = self._masked(path.read_bytes()) if path.is_file() else b''
            found[str(path.relative_to(self.folder))] = kind + content
        return found


class Test:
    def __init__(self, program: Sequence[str], other: Sequence[str]):
        self.program = program
        self.other = other
        self.absent = absent_commands()

    def problem(self, case: Case) -> Optional[str]:
        theirs = self._compared(self._theirs(case))
        ours = self._compared(self._ours_as_theirs(Run(self.program, case).outcome()))
        for field, left, right in zip(Outcome._fields, theirs, ours):
            if left != right:
                return f'{case.described()}\n  {field} {RELEASE} {left!r}\n  {field} ours {right!r}'
        return None

    def _theirs(self, case: Case) -> Outcome:
        """qemu-ga's signal handler takes a lock: now and then it never ends."""
        for _ in range(3):
            outcome = Run(self.other, case).outcome()
            if case.is_frozen or outcome.status != -signal.SIGKILL:
                break
        return outcome

    def _compared(self, outcome: Outcome) -> Outcome:
        lines = outcome.stdout.splitlines(keepends=True)
        return outcome._replace(stdout=b''.join(
            line for line in lines if line.strip().decode(errors='replace') not in self.absent))

    @staticmethod
    def _ours_as_theirs(ours: Outcome) -> Outcome:
        """Extensions in the list of commands, and our own version, are on purpose."""
        lines = ours.stdout.splitlines(keepends=True)
        own = (b'novacron-', b'NovaCron Guest Agent ')
        stdout = b''.join(line for line in lines if not line.startswith(own))
        return ours._replace(stdout=stdout)

    def help_problem(self) -> Optional[str]:
        """Texts are our own; which options there are, in which order and where, is not."""
        theirs, ours = (self._help_outline(program) for program in (self.other, self.program))
        return None if theirs == ours else f'{RELEASE} {theirs}\nours {ours}'

    @staticmethod
    def _help_outline(program: Sequence[str]) -> List[object]:
        done = subprocess.run([*program, '-h'], env=base_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=TIMEOUT, check=False)
        lines = done.stdout.splitlines()
        usage = re.sub('Usage: .* \\[-m', 'Usage: PROGRAM [-m', lines[0])
        version = re.match(r'QEMU Guest Agent \d+\.\d+\.\d+', lines[1])
        options = [found[1] for found in (re.match(r'  (-\w, --[-\w]+)', line) for line in lines)
                   if found]
        blanks = [index for index in (3, len(lines) - 3) if lines[index] == '']
        continued = {len(line) - len(line.lstrip()) for line in lines if line.startswith('   ')}
        return [done.returncode, done.stderr, usage, version and version[0], options,
                len(blanks), continued == {HELP_COLUMN}]


def arguments() -> argparse.Namespace:
    options = suite.parser(__doc__)
    options.add_argument('--seed', type=int, default=secrets.randbelow(1 << 32))
    options.add_argument('--cases', type=int, default=USUAL)
    options.add_argument('--full', action='store_true', help=f'{FULL} cases')
    options.add_argument('--jobs', type=int, default=2)
    return options.parse_args()


def main() -> int:
    chosen = arguments()
    test = Test(suite.program(chosen.agent), suite.oracle_or_skip(RELEASE))
    total = FULL if chosen.full else chosen.cases
    print(f'{total} cases, --seed {chosen.seed}', flush=True)
    report = suite.Suite()
    report.judge('--help', test.help_problem())
    generator = Generator(chosen.seed)
    cases = [generator.case() for _ in range(total)]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for number, problem in enumerate(pool.map(test.problem, cases)):
            report.judge(f'case {number}', problem)
            if report.failed >= SHOWN:
                pool.shutdown(cancel_futures=True)
                print('stopped: too many differences')
                break
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
