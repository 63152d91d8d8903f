#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may include whom: the layers of the agent, and the system headers each may see.

An arrow that points up, or to a sibling, is printed with the line that draws it.
"""
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from tree import Problem, lines, main, sources

# Layers by the folder of the including file, first match wins. <name> is one extension.
LAYERS: List[Tuple[str, str]] = [
    (r'qapi-schema/runtime/', 'runtime'),
    (r'qga-compat/core/', 'core'),
    (r'qga-compat/platform/', 'platform'),
    (r'qga-compat/commands/', 'commands'),
    (r'qga-compat/posix/', 'posix'),
    (r'qga-compat/linux/', 'linux'),
    (r'qga-compat/bsd/', 'bsd'),
    (r'qga-compat/(main|daemon)\.', 'main'),
    (r'win32/', 'win32'),
    (r'extensions/(?P<extension>[^/]+)/', 'extension'),
    (r'contrib/novacronctl/', 'novacronctl'),
]
FOLDERS = ('qapi-schema', 'qga-compat', 'win32', 'extensions', 'contrib')

# Layers by the first folder of an include; a layer may always include itself.
TARGETS = {'runtime', 'gen', 'client', 'core', 'platform', 'commands', 'posix', 'linux', 'bsd',
           'win32', 'job', 'worker', 'build-config.h', 'daemon.h'}
ARROWS: Dict[str, Set[str]] = {
    'runtime': set(),
    'core': {'runtime', 'build-config.h'},
    'platform': {'runtime', 'core', 'gen'},
    'commands': {'runtime', 'core', 'gen', 'platform'},
    'posix': {'runtime', 'core', 'gen', 'platform', 'build-config.h'},
    'linux': {'runtime', 'core', 'gen', 'platform', 'build-config.h', 'posix'},
    'bsd': {'runtime', 'core', 'gen', 'platform', 'build-config.h', 'posix'},
    'win32': {'runtime', 'core', 'gen', 'platform', 'build-config.h'},
    # 'client' is what its workers are asked with
    'extension': {'runtime', 'core', 'gen', 'platform', 'job', 'worker', 'client'},
    'main': {'runtime', 'core', 'gen', 'platform', 'commands', 'build-config.h', 'daemon.h'},
    'novacronctl': {'runtime', 'client', 'build-config.h'},
}

# Single headers of a layer that is closed otherwise. The freezer does what several commands, in
# several folders, want done.
HEADERS: Dict[str, Set[str]] = {'extension': {'commands/freezer.h'}}

# System headers. Everybody may have these; only the .c files of OS_LAYERS may have any other.
PORTABLE = {'glib.h', 'glib/gstdio.h', 'glib/gprintf.h', 'assert.h', 'ctype.h', 'errno.h',
            'float.h', 'inttypes.h', 'limits.h', 'locale.h', 'math.h', 'stdarg.h', 'stdbool.h',
            'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h', 'time.h'}
INTRINSICS = {'arm_neon.h', 'cpuid.h', 'emmintrin.h', 'immintrin.h', 'tmmintrin.h'}
# Not ISO C, but mingw-w64 has them: the flags of g_open(), and the option parser whose way of
# reading a command line is the contract.
IN_MINGW = {'fcntl.h', 'getopt.h'}
MORE: Dict[str, Set[str]] = {'runtime': INTRINSICS, 'core': IN_MINGW}
OS_LAYERS = {'posix', 'linux', 'bsd', 'win32', 'extension', 'novacronctl'}
# Too heavy for the agent's process, wherever the file stands.
HEAVY = re.compile(r'(gio|json-glib)/')
MAY_BE_HEAVY = {'novacronctl'}

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


class Includer(NamedTuple):
    path: str
    layer: str
    extension: Optional[str]


def includer(path: str) -> Optional[Includer]:
    for pattern, layer in LAYERS:
        found = re.match(pattern, path)
        if found:
            return Includer(path, layer, found.groupdict().get('extension'))
    return None


def wrong_arrow(file: Includer, target: str) -> Optional[str]:
    first = target.split('/')[0]
    if '..' in target.split('/') or '/' not in target and target not in TARGETS:
        return 'include by path from the layer roots, not "%s"' % target
    if first == 'extensions':
        first = target.split('/')[1]
    if first in {file.layer, file.extension} | ARROWS[file.layer]:
        return None
    if target in HEADERS.get(file.layer, set()):
        return None
    kind = first if first in TARGETS else 'another extension or an unknown layer'
    return '%s -> %s: "%s"' % (file.layer, kind, target)


def wrong_header(file: Includer, header: str) -> Optional[str]:
    if HEAVY.match(header):
        in_worker = '/worker/' in file.path
        return None if file.layer in MAY_BE_HEAVY or in_worker else \
            '<%s> is not for the agent\'s process' % header
    if header in PORTABLE | MORE.get(file.layer, set()):
        return None
    if file.layer not in OS_LAYERS:
        return '%s is portable: no <%s>' % (file.layer, header)
    return None if file.path.endswith('.c') else 'an OS header in a header: <%s>' % header


def find_problems(root: Path) -> Iterator[Problem]:
    for path in sources(root, FOLDERS):
        file = includer(path)
        if file is None:
            yield Problem(path, 1, 'belongs to no layer')
            continue
        for number, line in enumerate(lines(root, path), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            text = wrong_arrow(file, found[1]) if found[1] else wrong_header(file, found[2])
            if text:
                yield Problem(path, number, text)


if __name__ == '__main__':
    sys.exit(main(find_problems, __doc__))
