#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws the pictures of novacronctl.md: runs novacronctl in a terminal against an agent of its own.

    contrib/doc/screens/draw.py [BUILD]     (default: build)

A picture is what a terminal of COLUMNS shows, as SVG, of a moment if its last line moves.
"""
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple, Tuple
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
COLUMNS = 104
NC = 'novacronctl -c unix:web1.sock'
CELL, LINE, MARGIN = 8.4, 19, 14    # pixels of 14 px DejaVu Sans Mono, and of its neighbours
INK, PAPER, PROMPT = '#d8dee9', '#20242c', '#8fbcbb'

Cell = Tuple[str, bool]             # a character, and whether it is bold


class Screen(NamedTuple):
    name: str
    lines: Tuple[str, ...]          # of a shell, in which `nc` stands for NC
    until: str = ''                 # the picture is taken when this is seen


SCREENS = (
    Screen('look', ('nc info', 'nc areas', 'nc ls /etc/apt')),
    Screen('exec', ('nc exec -- sh -c "echo out; echo err >&2; exit 3"', 'echo $?',
                    'nc exec -t -- sh -c "tty; stty size"',
                    'nc exec --user nobody id')),
    Screen('events', ('nc events --types exec-started,exec-ended',)),
    Screen('copy', ('nc cp image guest:$PWD/copy',), until=r' [3-6]\d %'),
    Screen('refused', ('nc exec -- nonsense', 'nc ls /nowhere',
                       'novacronctl -c unix:none.sock info')),
)


def shown(output: str) -> List[List[Cell]]:
    """The lines of a terminal that got this."""
    lines: List[List[Cell]] = [[]]
    column, bold = 0, False
    for part in re.findall(r'\x1b\[[\d;?]*[A-Za-z]|.', output, re.DOTALL):
        line = lines[-1]
        if part == '\r':
            column = 0
        elif part == '\n':
            lines.append([])
            column = 0
        elif part == '\x1b[K':
            del line[column:]
        elif part.startswith('\x1b'):
            if part.endswith('m'):
                bold = part == '\x1b[1m'
        else:
            line[column:column + 1] = [(part, bold)]
            column += 1
    return lines if lines[-1] else lines[:-1]


def text_of(cells: List[Cell]) -> str:
    """Runs of one weight, each in its place whatever the width of the reader's font."""
    spans, start = [], 0
    for end in range(1, len(cells) + 1):
        if end < len(cells) and cells[end][1] == cells[start][1]:
            continue
        weight = ' font-weight="bold"' if cells[start][1] else ''
        words = escape(''.join(character for character, _ in cells[start:end]))
        spans.append(f'<tspan x="{MARGIN + start * CELL:.1f}" textLength='
                     f'"{(end - start) * CELL:.1f}"{weight}>{words}</tspan>')
        start = end
    return ''.join(spans)


def draw(lines: List[List[Cell]]) -> str:
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    rows = []
    for number, cells in enumerate(lines):
        ink = PROMPT if cells[:2] == [('$', False), (' ', False)] else INK
        rows.append(f'<text y="{MARGIN + number * LINE + 14}" fill="{ink}" '
                    f'xml:space="preserve">{text_of(cells)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
            f'font-family="DejaVu Sans Mono, monospace" font-size="14">\n'
            f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n'
            + '\n'.join(rows) + '\n</svg>\n')


def run(line: str, folder: Path, until: str, last: int) -> Tuple[str, int]:
    """What a terminal gets of it, and its exit status; `last` is that of the line before."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execlp('bash', 'bash', '-c', f'stty rows 24 cols {COLUMNS}; (exit {last}); {line}')
    output = b''
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:         # a terminal without programs
            break
        output += piece
        if not piece or until and re.search(until, output.decode(errors='replace')):
            break
    os.close(terminal)          # hangs up
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return output.decode(errors='replace'), status


def main() -> None:
    build = Path(sys.argv[1] if len(sys.argv) > 1 else 'build').resolve()
    folder = Path(tempfile.mkdtemp(prefix='guest-'))
    socket = folder / 'web1.sock'
    (folder / 'agent.conf').write_text(
        f'[novacron]\nareas=exec;file\ndata-directory={folder}/data\n')
    (folder / 'image').write_bytes(os.urandom(400 << 20))
    agent = subprocess.Popen([build / 'qga-compat/qemu-ga', '-m', 'unix-listen', '-p', socket,
                              '-t', folder, '-f', folder / 'pid', '-c', folder / 'agent.conf'])
    os.environ['PATH'] = f'{build / "contrib/novacronctl"}:{os.environ["PATH"]}'
    try:
        while not socket.exists():
            time.sleep(0.01)
        for screen in SCREENS:
            output, status = '', 0
            for line in screen.lines:
                line = re.sub('^nc ', NC + ' ', line)
                got, status = run(line, folder, screen.until, status)
                output += f'$ {line}\n{got}'
            (HERE / f'{screen.name}.svg').write_text(draw(shown(output)))
    finally:
        agent.terminate()
        agent.wait()
        shutil.rmtree(folder)


if __name__ == '__main__':
    main()
