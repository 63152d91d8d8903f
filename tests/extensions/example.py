#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The example of extensions/README.md, added to a copy of the tree, built, and asked."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r'^```\w+ (\S+)\n(.*?)^```$', re.DOTALL | re.MULTILINE)
KNOWN = re.compile(r"^(extensions_known = \[.*?)\]", re.DOTALL | re.MULTILINE)
NAME = 'uptime'


def run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit('%s: status %d\n%s' % (' '.join(command), done.returncode, done.stdout[-3000:]))
    return done.stdout


def add_example(tree: Path) -> int:
    """Write the files that the page shows; how many there were."""
    blocks = BLOCK.findall((tree / 'extensions/README.md').read_text(encoding='utf-8'))
    for name, text in blocks:
        path = (tree / 'extensions' / name).resolve()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding='utf-8')
    listing = tree / 'extensions/meson.build'
    text, count = KNOWN.subn(r"\1, '%s']" % NAME, listing.read_text(encoding='utf-8'))
    assert count == 1, 'extensions_known is not where it was'
    listing.write_text(text, encoding='utf-8')
    return len(blocks)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix='novacron-example.') as folder:
        tree = Path(folder) / 'tree'
        shutil.copytree(ROOT, tree, symlinks=True,
                        ignore=shutil.ignore_patterns('build*', '.git', '__pycache__'))
        count = add_example(tree)
        run('meson', 'setup', str(tree / 'build'), str(tree), '--werror', '-Dtests=disabled',
            '-Dnovacronctl=disabled')
        run('ninja', '-C', str(tree / 'build'), '-j2')
        run(sys.executable, str(tree / 'tests/checks/includes.py'))
        run(sys.executable, str(tree / 'tests/checks/table-sanity.py'), '--build',
            str(tree / 'build'))
        print(run(sys.executable, str(tree / 'tests/transcripts/replay.py'), '--agent',
                  str(tree / 'build/qga-compat/qemu-ga'), '--match', 'novacron-' + NAME), end='')
    return 0 if count == 4 else 1


if __name__ == '__main__':
    sys.exit(main())
