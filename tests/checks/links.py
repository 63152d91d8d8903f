#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a Markdown file points to is there: the file, the heading in it, and every path of the tree
that it names.
"""
import posixpath
import re
import sys
from pathlib import Path
from typing import Iterator, List, Set

from style import DATA
from tree import Problem, lines, main, paths

LINK = re.compile(r'\]\(([^()\s]+)\)|^\[[^]]+\]: +(\S+)')
ELSEWHERE = re.compile(r'[a-z]+:')
NAMED = r'(?<![\w./~$<-])(?:%s)/[\w./*-]*'     # the folders of the tree are filled in
HEADING = re.compile(r'#{1,6} +(.*)')


def anchors(text: List[str]) -> Set[str]:
    """As the places make them that show Markdown: a heading met again gets a number."""
    found: Set[str] = set()
    for line in text:
        heading = HEADING.fullmatch(line)
        if heading:
            name = re.sub(r'[^\w -]', '', heading[1].lower()).replace(' ', '-')
            same = sum(1 for other in found if re.fullmatch(re.escape(name) + r'(-\d+)?', other))
            found.add('%s-%d' % (name, same) if same else name)
    return found


def with_folders(files: List[str]) -> Set[str]:
    found = {''}
    for path in files:
        while path:
            found.add(path)
            path = posixpath.dirname(path)
    return found


def leads_somewhere(root: Path, there: Set[str], path: str, target: str) -> bool:
    name, _, anchor = target.partition('#')
    other = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if name else path
    return other in there and (not anchor or anchor in anchors(lines(root, other)))


def is_there(there: Set[str], named: str) -> bool:
    pattern = re.escape(named.rstrip('./')).replace(r'\*', '[^/]*')
    return any(re.fullmatch(pattern, path) for path in there)


def find_problems(root: Path) -> Iterator[Problem]:
    files = list(paths(root))
    there = with_folders(files)
    folders = sorted({path.split('/')[0] for path in files if '/' in path})
    named = re.compile(NAMED % '|'.join(re.escape(folder) for folder in folders))
    for path in files:
        if not path.endswith('.md') or DATA.search(path):
            continue
        for number, line in enumerate(lines(root, path), 1):
            for found in LINK.finditer(line):
                target = found[1] or found[2]
                if not (ELSEWHERE.match(target)
                        or leads_somewhere(root, there, path, target)):
                    yield Problem(path, number, 'leads nowhere: %s' % target)
            for found in named.finditer(line):
                if not is_there(there, found[0]):
                    yield Problem(path, number, 'no such file: %s' % found[0])


if __name__ == '__main__':
    sys.exit(main(find_problems, __doc__))
