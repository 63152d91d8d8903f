#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each check passes a small good tree, and names the one fault put into it."""
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple

HERE = Path(__file__).resolve().parent
C = '/* SPDX-License-Identifier: GPL-2.0-or-later */\n'
PY = '# SPDX-License-' + 'Identifier: GPL-2.0-or-later\n'
HOST = '.'.join(('deb', 'debian', 'org'))
FOLDER = '/'.join(('', 'work', 'main'))

GOOD = {
    'qapi-schema/runtime/value.h': C + '#include <glib.h>\n#ifdef __x86_64__\n#endif\n',
    'qga-compat/core/agent.h': C + '#include "runtime/value.h"\n',
    'qga-compat/commands/ping.c': C + '#include "core/agent.h"\n#include "gen/toy.h"\n'
                                      'int\nguest_ping(void)\n{\n}\n',
    'qga-compat/linux/load.c': C + '#include <sys/epoll.h>\n#ifdef __linux__\n#endif\n',
    'extensions/usage/top.c': C + '#include "job/job.h"\n',
    'contrib/novacronctl/main.c': C + '#include <json-glib/json-glib.h>\n',
    'tests/transcripts/guest-ping.txt': '> {"execute": "guest-ping"}\n',
    'contrib/doc/guide.md': '# The guide\n\n## Say `x`, twice!\n\n[up](../../README.md#title), '
                            '[on](#say-x-twice), `contrib/*/main.c`, https://x.example/contrib/y\n',
    'README.md': '# title\n\n[guide](contrib/doc/guide.md), `contrib/doc/`\n',
    'build/qapi-schema/gen/commands.c': '    { "guest-ping", run_guest_ping, NULL },\n',
    'build/qapi-schema/gen/reference.md': '### guest-ping\n\nShow that the agent is alive.\n',
}


class Fault(NamedTuple):
    check: str
    path: str
    text: str
    message: str


FAULTS: List[Fault] = [
    Fault('includes.py', 'qga-compat/core/gate.c', '#include "gen/toy.h"',
          'qga-compat/core/gate.c:2: core -> gen'),
    Fault('includes.py', 'qapi-schema/runtime/x.c', '#include "core/agent.h"', 'runtime -> core'),
    Fault('includes.py', 'qga-compat/linux/x.c', '#include "win32/x.h"', 'linux -> win32'),
    Fault('includes.py', 'qga-compat/commands/x.c', '#include "posix/x.h"', 'commands -> posix'),
    Fault('includes.py', 'extensions/usage/x.c', '#include "extensions/patch/x.h"',
          'extension -> another extension'),
    Fault('includes.py', 'qga-compat/core/x.c', '#include <unistd.h>', 'no <unistd.h>'),
    Fault('includes.py', 'qga-compat/posix/x.h', '#include <fcntl.h>', 'OS header in a header'),
    Fault('includes.py', 'qga-compat/posix/x.c', '#include <gio/gio.h>', 'not for the agent'),
    Fault('includes.py', 'qga-compat/core/x.c', '#include "../core/agent.h"', 'layer roots'),
    Fault('includes.py', 'qga-compat/misc/x.c', '', 'belongs to no layer'),
    Fault('no-os-ifdef.py', 'qga-compat/commands/x.c', '#ifdef _WIN32\n#endif', 'OS: _WIN32'),
    Fault('no-os-ifdef.py', 'qga-compat/core/x.c', '#if 1 && \\\n    defined(__linux__)\n#endif',
          'core/x.c:2: asks for the OS: __linux__'),
    Fault('no-os-ifdef.py', 'extensions/usage/x.c', '#if defined(CONFIG_LINUX)\n#endif', 'the OS'),
    Fault('no-os-ifdef.py', 'qga-compat/core/x.c', '#ifdef __aarch64__\n#endif', 'the processor'),
    Fault('table-sanity.py', 'build/qapi-schema/gen/commands.c', '    { "guest-x", run_guest_x },',
          'no handler of guest-x'),
    Fault('table-sanity.py', 'build/qapi-schema/gen/commands.c', '    { "guest-x", run_guest_x },',
          'no documentation of guest-x'),
    Fault('table-sanity.py', 'build/qapi-schema/gen/commands.c', '    { "guest-x", run_guest_x },',
          'no transcript guest-x.txt'),
    Fault('table-sanity.py', 'qga-compat/commands/x.c', 'int\nguest_lost(void)\n{\n}',
          'a handler without a row: guest-lost'),
    Fault('links.py', 'README.md', '[it](contrib/guide.md)', 'nowhere: contrib/guide.md'),
    Fault('links.py', 'README.md', '[it](contrib/doc/guide.md#x)', 'README.md:4: leads nowhere'),
    Fault('links.py', 'contrib/doc/guide.md', '[x]: #the-guides', 'leads nowhere: #the-guides'),
    Fault('links.py', 'README.md', 'run `contrib/go now`', 'no such file: contrib/go'),
    Fault('style.py', 'README.md', 'x' * 101, '101 columns'),
    Fault('style.py', 'README.md', 'blank ', 'README.md:4: trailing blanks'),
    Fault('style.py', 'README.md', 'see ' + FOLDER, 'path of one machine'),
    Fault('style.py', 'README.md', 'from ' + HOST, 'mirror'),
    Fault('style.py', 'tool.py', PY.replace('2.0', '3.0'), 'no SPDX'),
    Fault('style.py', 'qga-compat/core/x.c', '    goto out;', 'goto'),
    Fault('style.py', 'qga-compat/core/x.c', '\treturn;', 'a tab'),
]


def write(root: Path, files: Dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')


def run(check: str, root: Path) -> 'subprocess.CompletedProcess[str]':
    return subprocess.run([sys.executable, '-B', str(HERE / check), str(root)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)


def complaint(fault: Fault) -> str:
    """What is wrong with the check, '' if it found the fault."""
    with tempfile.TemporaryDirectory(prefix='novacron-checks.') as folder:
        root = Path(folder)
        before = {'.c': C, '.md': '# title\n'}.get(Path(fault.path).suffix, '')
        write(root, {**GOOD, fault.path: GOOD.get(fault.path, before) + fault.text + '\n'})
        done = run(fault.check, root)
    if done.returncode == 1 and fault.message in done.stdout:
        return ''
    return 'status %d, %r lacks %r' % (done.returncode, done.stdout, fault.message)


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory(prefix='novacron-checks.') as folder:
        write(Path(folder), GOOD)
        for check in sorted({fault.check for fault in FAULTS}):
            done = run(check, Path(folder))
            if done.returncode:
                failed += 1
                print('FAILED %s on a good tree: %s' % (check, done.stdout))
    for fault in FAULTS:
        problem = complaint(fault)
        if problem:
            failed += 1
            print('FAILED %s: %s' % (fault.check, problem))
    total = len(FAULTS) + len({fault.check for fault in FAULTS})
    print('%d passed, %d failed' % (total - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
