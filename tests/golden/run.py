#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Golden tests of the generator: schemas in, exact text or exact messages out

NAME.json must give the files of the folder NAME, bad-NAME.json the messages of
bad-NAME.err. A line "# qapigen: ARGUMENTS" in a schema replaces the default
arguments "@", where "@" stands for the schema itself.

What is generated is compiled too, with every compiler found. --update writes
what came out as what is expected; look at the difference before you keep it.
"""

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GENERATOR = [sys.executable, '-B', str(ROOT / 'qapi-schema' / 'qapigen')]
AGENT = ROOT / 'qapi-schema' / 'guest-agent.json'
LINUX = ('CONFIG_LINUX', 'CONFIG_FSFREEZE', 'CONFIG_FSTRIM', 'CONFIG_GETLOADAVG',
         'CONFIG_LIBUDEV', 'HAVE_GETIFADDRS', 'HAVE_UTMPX')
WARNINGS = '''-std=gnu11 -fsyntax-only -Werror -Wall -Wextra -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef -Wformat=2 -Wimplicit-fallthrough
    -Wcast-qual -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_56
    -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_56'''.split()
STDOUT = 'stdout.json'

Complaint = Optional[str]
Case = Tuple[str, Callable[[], Complaint]]


def arguments_of(schema: Path) -> List[str]:
    found = re.search(r'^# qapigen: (.*)$', schema.read_bytes().decode(errors='replace'),
                      re.MULTILINE)
    words = shlex.split(found.group(1) if found else '@')
    return [schema.name if word == '@' else word for word in words]


def generate(arguments: List[str], out: Path) -> 'subprocess.CompletedProcess[str]':
    return subprocess.run([*GENERATOR, *arguments, '--out', str(out)], cwd=HERE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def texts(folder: Path) -> Dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else {}


def folder_of(arguments: List[str]) -> str:
    """Where generated files expect to be found."""
    return 'client' if '--client' in arguments else 'gen'


def check_good(schema: Path, update: bool) -> Complaint:
    expected = schema.with_suffix('')
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, 'gen')
        done = generate(arguments_of(schema), out)
        if done.returncode != 0:
            return done.stderr
        if done.stdout:
            Path(out, STDOUT).write_text(done.stdout)
        if update:
            shutil.rmtree(expected, ignore_errors=True)
            shutil.copytree(out, expected)
        wanted, got = texts(expected), texts(out)
    if wanted.keys() != got.keys():
        return f'files {sorted(got)} instead of {sorted(wanted)}'
    return next((first_difference(name, wanted[name], got[name])
                 for name in sorted(wanted) if wanted[name] != got[name]), None)


def check_bad(schema: Path, update: bool) -> Complaint:
    expected = schema.with_suffix('.err')
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, 'gen')
        done = generate(arguments_of(schema), out)
        if done.returncode != 1:
            return f'exit status {done.returncode}: {done.stderr}'
        if 'Traceback' in done.stderr:
            return done.stderr
        if out.exists():
            return 'files were written in spite of mistakes'
    if update:
        expected.write_text(done.stderr)
    wanted = expected.read_text() if expected.exists() else ''
    return None if wanted == done.stderr else first_difference(expected.name, wanted, done.stderr)


def first_difference(name: str, wanted: str, got: str) -> str:
    lines = zip([*wanted.split('\n'), None], [*got.split('\n'), None])
    for number, (left, right) in enumerate(lines, 1):
        if left != right:
            return f'{name}:{number}: expected {left!r}\n    got {right!r}'
    return f'{name}: the lengths differ'


def compilers() -> Iterator[List[str]]:
    glib = subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], stdout=subprocess.PIPE,
                          universal_newlines=True) if shutil.which('pkg-config') else None
    if glib is None or glib.returncode != 0:
        return
    for name in ('gcc', 'clang'):
        if shutil.which(name):
            yield [name, *WARNINGS, f'-I{ROOT}/qapi-schema', f'-I{ROOT}/qga-compat',
                   *shlex.split(glib.stdout)]


def check_compiles(arguments: List[str], compiler: List[str]) -> Complaint:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, folder_of(arguments))
        done = generate(arguments, out)
        if done.returncode != 0:
            return done.stderr
        compiled = subprocess.run(
            [*compiler, f'-I{scratch}', *map(str, sorted(out.glob('*.c')))],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return compiled.stdout if compiled.returncode else None


def check_facts() -> Complaint:
    done = subprocess.run([sys.executable, '-B', str(HERE / 'facts.py')], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    return done.stdout if done.returncode else None


def check_stable() -> Complaint:
    """Neither the run nor the hash seed of Python shows in the output."""
    with tempfile.TemporaryDirectory() as scratch:
        first, second = Path(scratch, 'first'), Path(scratch, 'second')
        for out in (first, second):
            generate([str(AGENT), *defines(LINUX)], out)
        return None if texts(first) == texts(second) and texts(first) else 'two runs differ'


def defines(names: Tuple[str, ...]) -> List[str]:
    return [word for name in names for word in ('--define', name)]


def cases(update: bool) -> Iterator[Case]:
    schemas = sorted(HERE.glob('*.json'), key=lambda path: path.name)
    good = [path for path in schemas if not path.name.startswith('bad-')
            and path.name != 'facts.json']
    for path in schemas:
        if path in good:
            yield path.stem, lambda path=path: check_good(path, update)
        elif path.name.startswith('bad-'):
            yield path.stem, lambda path=path: check_bad(path, update)

    yield 'guest-agent has upstream\'s names, types and orders', check_facts
    yield 'guest-agent comes out the same twice', check_stable

    builds = {path.stem: arguments_of(path) for path in good}
    builds['guest-agent on Linux'] = [str(AGENT), *defines(LINUX)]
    builds['guest-agent on Windows'] = [str(AGENT), *defines(('CONFIG_WIN32',))]
    builds['guest-agent elsewhere'] = [str(AGENT)]
    builds['guest-agent for clients'] = [str(AGENT), '--client']
    for compiler in compilers():
        for name, arguments in builds.items():
            yield (f'{name}, compiled by {compiler[0]}',
                   lambda a=arguments, c=compiler: check_compiles(a, c))


def main() -> int:
    parser = argparse.ArgumentParser(description='Golden tests of qapigen.')
    parser.add_argument('--update', action='store_true', help='expect what comes out now')
    parser.add_argument('words', nargs='*', help='run only cases whose name has one of these words')
    args = parser.parse_args()

    counts = {True: 0, False: 0}
    for name, check in cases(args.update):
        if args.words and not any(word in name for word in args.words):
            continue
        complaint = check()
        counts[complaint is None] += 1
        print(f"{'ok' if complaint is None else 'FAILED'}: {name}", flush=True)
        if complaint is not None:
            print('    ' + complaint.strip().replace('\n', '\n    '))
    print(f'{counts[True]} passed, {counts[False]} failed')
    return 1 if counts[False] else 0


if __name__ == '__main__':
    sys.exit(main())
