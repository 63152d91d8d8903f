# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a source tree, and how a check tells what is wrong with them."""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Problem(NamedTuple):
    path: str       # relative to the root
    line: int
    text: str

    def __str__(self) -> str:
        return '%s:%d: %s' % self


def paths(root: Path) -> Iterator[str]:
    """What git would track, or without git everything but hidden and build folders."""
    if (root / '.git').exists() and shutil.which('git'):
        listing = subprocess.run(
            ['git', '-C', str(root), '-c', 'safe.directory=*', 'ls-files', '-z', '--cached',
             '--others', '--exclude-standard'], stdout=subprocess.PIPE, check=True)
        names = (os.fsdecode(name) for name in listing.stdout.split(b'\0') if name)
        yield from sorted(name for name in names if (root / name).is_file())
        return
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders
                            if not name.startswith(('.', 'build')) and name != '__pycache__')
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in sorted(files))


def sources(root: Path, folders: Iterable[str]) -> Iterator[str]:
    """C sources and headers below the folders."""
    below = tuple(folder + '/' for folder in folders)
    return (path for path in paths(root) if path.startswith(below) and path.endswith(('.c', '.h')))


def lines(root: Path, path: str) -> List[str]:
    return (root / path).read_text(encoding='utf-8', errors='replace').split('\n')


def main(find_problems: Callable[[Path], Iterable[Problem]], description: str) -> int:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('root', nargs='?', type=Path, default=ROOT, help='the tree to check')
    return report(find_problems(parser.parse_args().root))


def report(problems: Iterable[Problem]) -> int:
    found = 0
    for problem in problems:
        found += 1
        print(problem)
    print('%s: %s' % (Path(sys.argv[0]).name, '%d problems' % found if found else 'ok'))
    return 1 if found else 0
