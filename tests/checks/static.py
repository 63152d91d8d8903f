#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clang-tidy (the checks of .clang-tidy) and cppcheck over every file that a build compiles."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List

from tree import ROOT

SKIPPED = 77
JOBS = min(4, len(os.sched_getaffinity(0)))
CPPCHECK = [
    '--enable=warning,performance,portability', '--inline-suppr', '--error-exitcode=1', '--quiet',
    '--library=gtk',            # GLib's allocators, assertions and macros
    # it does not follow __attribute__((cleanup)): g_autofree and g_autoptr look like leaks
    '--suppress=memleak', '--suppress=resourceLeak', '--suppress=missingInclude',
    '--suppress=*:*/gen/*', '--suppress=*:*/client/*',
]


def compiled(build: Path) -> Dict[str, Dict[str, str]]:
    """Our own files with the entry of the compilation database; generated ones are not ours."""
    entries = json.loads((build / 'compile_commands.json').read_text())
    found: Dict[str, Dict[str, str]] = {}
    for entry in entries:
        path = (Path(entry['directory']) / entry['file']).resolve()
        if ROOT in path.parents and build not in path.parents and path.suffix == '.c':
            found.setdefault(str(path), entry)
    return found


def tidy(build: Path, path: str) -> str:
    done = subprocess.run(['clang-tidy', '--quiet', '-p', str(build), path], cwd=ROOT, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    return '' if done.returncode == 0 else done.stdout or done.stderr


def run_tidy(build: Path, files: List[str]) -> int:
    failed = 0
    with ThreadPoolExecutor(JOBS) as pool:
        for report in pool.map(lambda path: tidy(build, path), files):
            failed += bool(report)
            print(report, end='', flush=True)
    return failed


def run_cppcheck(entries: List[Dict[str, str]]) -> int:
    with tempfile.TemporaryDirectory(prefix='novacron-cppcheck.') as folder:
        database = Path(folder) / 'compile_commands.json'
        database.write_text(json.dumps(entries))
        return subprocess.run(['cppcheck', *CPPCHECK, '-j', str(JOBS),
                               '--project=' + str(database)], cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', type=Path, default=ROOT / 'build', help='a finished build')
    build = parser.parse_args().build.absolute()
    missing = [tool for tool in ('clang-tidy', 'cppcheck') if not shutil.which(tool)]
    if missing:
        print('SKIP not installed: %s' % ', '.join(missing))
        return SKIPPED
    files = compiled(build)
    if not files:
        sys.exit('%s compiles nothing of %s' % (build, ROOT))
    untidy = run_tidy(build, sorted(files))
    unchecked = run_cppcheck(list(files.values()))
    failed = untidy + bool(unchecked)
    print('%d passed, %d failed' % (len(files) + 1 - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
