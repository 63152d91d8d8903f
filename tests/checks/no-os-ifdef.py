#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The build file answers platform questions: no conditional on the OS outside the OS folders.

Conditionals on the processor are for qapi-schema/runtime/ only.
"""
import re
import sys
from pathlib import Path
from typing import Iterator, List, Tuple

from tree import Problem, lines, main, sources

FOLDERS = ('qapi-schema', 'qga-compat', 'extensions', 'contrib', 'win32')
OS_FOLDERS = {'posix', 'linux', 'bsd', 'win32'}
CONDITIONAL = re.compile(r'\s*#\s*(?:el)?if')
OS = re.compile(r'\b(_*linux_*|_*unix_*|_?_?WIN(?:32|64)(?:__)?|__(?:Free|Net|Open)BSD__|BSD'
                r'|__APPLE__|__CYGWIN__|__MINGW\w+|_MSC_VER|G_OS_\w+|__GLIBC__'
                r'|CONFIG_(?:LINUX|POSIX|BSD|WIN32|FSFREEZE|FSTRIM|LIBUDEV|GETLOADAVG)'
                r'|HAVE_\w+)\b')
PROCESSOR = re.compile(r'\b(__x86_64__|__i386__|__aarch64__|__arm__|__ARM_NEON\w*|__s390x?__'
                       r'|__powerpc\w*|__riscv\w*|__SSE\w*|__SSSE3__|__AVX\w*|_M_(?:X64|ARM64))\b')


def conditions(text: List[str]) -> Iterator[Tuple[int, str]]:
    """Every #if, with the lines that continue it."""
    number = 0
    while number < len(text):
        first, whole = number, text[number]
        while whole.endswith('\\') and number + 1 < len(text):
            number += 1
            whole = whole[:-1] + text[number]
        if CONDITIONAL.match(whole):
            yield first + 1, whole
        number += 1


def find_problems(root: Path) -> Iterator[Problem]:
    for path in sources(root, FOLDERS):
        if OS_FOLDERS & set(path.split('/')[:-1]):
            continue
        for number, condition in conditions(lines(root, path)):
            found = OS.search(condition)
            if found:
                yield Problem(path, number, 'asks for the OS: %s' % found[0])
            found = PROCESSOR.search(condition)
            if found and not path.startswith('qapi-schema/runtime/'):
                yield Problem(path, number, 'asks for the processor: %s' % found[0])


if __name__ == '__main__':
    sys.exit(main(find_problems, __doc__))
