# SPDX-License-Identifier: GPL-2.0-or-later
"""
The markup of documentation comments: little reStructuredText

Paragraphs, items ("- " at the start of a line), literal blocks (indented, after a
paragraph that ends in "::"), ``literals`` and @references to members.
"""

import re
from dataclasses import dataclass
from typing import Callable, Iterator, List, Tuple

INLINE = re.compile(r'``(.+?)``|(?<![\w@])@([A-Za-z][\w-]*)')


@dataclass(frozen=True)
class Block:
    kind: str  # 'paragraph', 'item', 'literal'
    text: str


def blocks(text: str) -> Iterator[Block]:
    is_literal = False
    for chunk in chunks(text):
        if is_literal and all(line.startswith(' ') for line in chunk):
            yield Block('literal', dedented(chunk))
            continue
        for kind, lines in split_items(chunk):
            joined = ' '.join(line.strip() for line in lines)
            is_literal = joined.endswith('::')
            yield Block(kind, joined[:-1] if is_literal else joined)


def chunks(text: str) -> Iterator[List[str]]:
    """What blank lines separate."""
    for chunk in re.split(r'\n\s*\n', text.strip('\n')):
        if chunk.strip():
            yield chunk.split('\n')


def split_items(lines: List[str]) -> Iterator[Tuple[str, List[str]]]:
    kind = 'paragraph'
    found: List[str] = []
    for line in lines:
        if line.startswith('- '):
            if found:
                yield kind, found
            kind, found = 'item', [line[2:]]
        else:
            found.append(line)
    yield kind, found


def dedented(lines: List[str]) -> str:
    cut = min(len(line) - len(line.lstrip()) for line in lines)
    return '\n'.join(line[cut:] for line in lines)


def inline(text: str, plain: Callable[[str], str], literal: Callable[[str], str]) -> str:
    """`text` with its literals and references, and with all between them, transformed."""
    parts = []
    end = 0
    for match in INLINE.finditer(text):
        parts += [plain(text[end:match.start()]), literal(match.group(1) or match.group(2))]
        end = match.end()
    return ''.join(parts) + plain(text[end:])
