# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of the schema as they are spelt in C."""

import re

# Keywords of C11, and macros that GNU C or the system's headers define in lower case.
RESERVED = frozenset('''
    auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while asm typeof
    errno i386 interface linux mips near far small sparc stderr stdin stdout unix
    '''.split())

# Before a capital that starts a word; acronyms stay whole: PCIAddress, NVMeSmart, OSInfo.
WORD_START = re.compile(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})')


def c_name(name: str) -> str:
    """A member or command: kebab to snake."""
    snake = name.replace('-', '_')
    return f'q_{snake}' if snake in RESERVED else snake


def snake(type_name: str) -> str:
    """A type as the beginning of a function's or variable's name."""
    return WORD_START.sub('_', type_name).lower()


def constant(type_name: str, value: str) -> str:
    return f"{snake(type_name)}_{value.replace('-', '_')}".upper()


def arguments_type(command: str) -> str:
    """The struct of a command's inline arguments."""
    return ''.join(word.capitalize() for word in command.replace('_', '-').split('-')) + 'Args'
