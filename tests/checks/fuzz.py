#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every fuzz target of a build for a while; what makes one fail is kept beside the logs.

Known inputs stand in tests/fuzz/corpus/TARGET; what is found new stays in the build folder, so
that a later run goes on from there.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator

from tree import ROOT

LONGEST_INPUT = 1 << 16
MEMORY_LIMIT = 2048     # MiB; the largest value that the parser takes needs some hundreds


def targets(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob('*')):
        if path.is_file() and os.access(path, os.X_OK):
            yield path


def run(target: Path, seconds: int, seed: int) -> bool:
    name = target.name.replace('fuzz-', '')
    found = target.parent / ('found-' + name)
    found.mkdir(exist_ok=True)
    corpora = [found, ROOT / 'tests' / 'fuzz' / 'corpus' / name]
    command = [str(target), '-max_total_time=%d' % seconds, '-seed=%d' % (seed % (1 << 31) or 1),
               '-rss_limit_mb=%d' % MEMORY_LIMIT, '-max_len=%d' % LONGEST_INPUT, '-timeout=20',
               '-print_final_stats=1', '-verbosity=0', '-artifact_prefix=%s/%s-' %
               (target.parent, name), *(str(path) for path in corpora if path.is_dir())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors='replace')
    runs = [line.split()[-1] for line in output.splitlines() if 'number_of_executed_units' in line]
    if done.returncode or not runs or int(runs[0]) == 0:
        print('FAILED %s\n%s' % (name, output[-4000:]))
        return False
    print('ok %s: %s runs' % (name, runs[0]), flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='where the built targets are')
    parser.add_argument('--seconds', type=int, default=10, help='for each target')
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    results = [run(target, options.seconds, options.seed) for target in targets(options.folder)]
    print('%d passed, %d failed' % (results.count(True), results.count(False)))
    return 0 if results and all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
