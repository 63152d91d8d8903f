# SPDX-License-Identifier: GPL-2.0-or-later
"""cp through novacron-file-*: whole or not at all on both sides, and what was cut goes on."""
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterable, List, Optional, Set

from bench import FAILED, PATIENCE, Bench, Problem, expect, first, outcome
from lib.text import difference
from programs import Screen, with_streams

SIZES = (0, 1, 262143, 262144, (1 << 20) + 7)
LARGE = 48 << 20       # long enough to be interrupted


def sparse(path: Path) -> bytes:
    """A large file that is cheap to make and of which no two pieces are equal."""
    with open(path, 'wb') as file:
        for offset in range(0, LARGE, 1 << 18):
            file.seek(offset)
            file.write(b'%d' % offset)
        file.truncate(LARGE)
    return path.read_bytes()


def known_jobs(bench: Bench) -> Set[str]:
    """Those of agents before this one, too: they are kept on the disk."""
    with bench.agent.connect() as client:
        return {job['id'] for job in client.rows('novacron-job-query')}


def copies_are_equal(bench: Bench) -> Problem:
    before = known_jobs(bench)
    for size in SIZES:
        data, there = os.urandom(size), bench.agent.files / f'there-{size}'
        (bench.folder / 'here').write_bytes(data)
        problem = first(outcome(bench.run('cp', 'here', f'guest:{there}'), 0, b'', b''),
                        difference(data, there.read_bytes()),
                        outcome(bench.run('cp', f'guest:{there}', 'back'), 0, b'', b''),
                        difference(data, (bench.folder / 'back').read_bytes()))
        if problem:
            return f'{size} bytes: {problem}'
    left = [*bench.agent.files.glob('.*'), *bench.folder.glob('.*')]
    jobs = known_jobs(bench) - before
    return expect(not left and not jobs, f'left: {left}, {jobs}')


def the_target_in_the_guest_is_replaced_as_a_whole(bench: Bench) -> Problem:
    here, there = bench.folder / 'here', bench.agent.files / 'there'
    here.write_bytes(b'new')
    here.chmod(0o751)
    there.write_bytes(b'older')
    there.chmod(0o604)
    inode = there.stat().st_ino
    folder = bench.agent.files / 'folder'
    folder.mkdir()
    problem = first(outcome(bench.run('cp', 'here', f'guest:{there}'), 0),
                    outcome(bench.run('cp', 'here', f'guest:{folder}'), 0))
    if problem:
        return problem
    new = folder / 'here'
    return first(difference(b'new', there.read_bytes()), difference(b'new', new.read_bytes()),
                 expect(there.stat().st_ino != inode, 'it was written in place'),
                 expect(there.stat().st_mode & 0o777 == 0o604, oct(there.stat().st_mode)),
                 expect(new.stat().st_mode & 0o777 == 0o751, oct(new.stat().st_mode)))


def links_in_the_guest_stay_links(bench: Bench) -> Problem:
    (bench.folder / 'here').write_bytes(b'new')
    target, link = bench.agent.files / 'target', bench.agent.files / 'link'
    target.write_bytes(b'')
    link.symlink_to('target')
    return first(outcome(bench.run('cp', 'here', f'guest:{link}'), 0),
                 expect(link.is_symlink(), 'the link was replaced'),
                 difference(b'new', target.read_bytes()))


def first_of(paths: Iterable[Path]) -> Optional[Path]:
    return next(iter(sorted(paths)), None)


def interrupt(bench: Bench, words: List[str], rest: Callable[[], Optional[Path]],
              number: signal.Signals) -> Problem:
    """Stop a copy when there is some of it. What blocks are taken by tells how far a file is."""
    process = subprocess.Popen([bench.client, '-c', str(bench.socket), 'cp', *words],
                               cwd=bench.folder, stderr=subprocess.PIPE)
    path = None
    while process.poll() is None and not (path and path.exists() and path.stat().st_size > 1 << 20):
        path = rest()
        time.sleep(0.002)
    process.send_signal(number)
    message = process.communicate(timeout=PATIENCE)[1]
    wanted = FAILED if number == signal.SIGINT else -number
    kept = path.stat().st_size if path and path.exists() else -1
    return first(expect(process.returncode == wanted, f'{process.returncode}: {message!r}'),
                 expect(b'goes on where it was' in message or number == signal.SIGKILL,
                        repr(message)),
                 expect(1 << 20 < kept < LARGE, f'{kept} bytes are kept'))


def a_copy_out_of_the_guest_goes_on(bench: Bench) -> Problem:
    there = bench.agent.files / 'large'
    data = sparse(there)
    words = [f'guest:{there}', 'large']
    for number in (signal.SIGINT, signal.SIGKILL):
        (bench.folder / 'large').unlink(missing_ok=True)
        problem = interrupt(bench, words, lambda: first_of(bench.folder.glob('.large.*')),
                            number)
        rest = first_of(bench.folder.glob('.large.*'))
        if problem or not rest:
            return problem or 'nothing is kept'
        inode = rest.stat().st_ino
        problem = first(outcome(bench.run('cp', *words), 0),
                        expect((bench.folder / 'large').stat().st_ino == inode, 'begun anew'),
                        expect((bench.folder / 'large').read_bytes() == data, 'another file'))
        if problem:
            return f'{number.name}: {problem}'
    return expect(not list(bench.folder.glob('.*')), 'something is left')


def a_rest_that_is_spoilt_is_noticed(bench: Bench) -> Problem:
    there = bench.agent.files / 'large'
    data = sparse(there)
    words = [f'guest:{there}', 'large']
    problem = interrupt(bench, words, lambda: first_of(bench.folder.glob('.large.*')),
                        signal.SIGINT)
    rest = first_of(bench.folder.glob('.large.*'))
    if problem or not rest:
        return problem or 'nothing is kept'
    with open(rest, 'r+b') as file:
        file.write(b'!')
    return first(outcome(bench.run('cp', *words), FAILED, says='another digest'),
                 expect(not (bench.folder / 'large').exists(), 'it was put in place'),
                 outcome(bench.run('cp', *words), 0),
                 expect((bench.folder / 'large').read_bytes() == data, 'another file'))


def a_copy_into_the_guest_goes_on(bench: Bench) -> Problem:
    data = sparse(bench.folder / 'large')
    there = bench.agent.files / 'there'
    words = ['large', f'guest:{there}']
    problem = interrupt(bench, words, lambda: first_of(bench.agent.files.glob('.novacron-*')),
                        signal.SIGINT)
    rest = first_of(bench.agent.files.glob('.novacron-*'))
    if problem or not rest:
        return problem or 'nothing is kept'
    inode = rest.stat().st_ino
    hidden = expect(not there.exists(), 'it is there before it is whole')
    return first(hidden, outcome(bench.run('cp', *words), 0),
                 expect(there.stat().st_ino == inode, 'begun anew'),
                 expect(there.read_bytes() == data, 'another file'),
                 expect(not list(bench.agent.files.glob('.novacron-*')), 'something is left'))


def progress_is_shown_on_a_terminal(bench: Bench) -> Problem:
    sparse(bench.agent.files / 'large')
    with Screen(bench, 'cp', f'guest:{bench.agent.files}/large', 'large') as screen:
        shown = first(screen.shows(b'['), screen.shows(b' of 48.0 MiB'), screen.shows(b'MiB/s'))
        shown = shown or expect(screen.process.wait(PATIENCE) == 0, 'it has failed')
    with Screen(bench, 'cp', f'guest:{bench.agent.files}/large', 'narrow', columns=30) as screen:
        screen.process.wait(PATIENCE)
        narrow = screen.shows(b'\x1b[K')
        lines = screen.seen.replace(b'\x1b[K', b'').split(b'\r')
    return shown or narrow or expect(all(len(line) < 30 for line in lines), f'{lines}')


def folders_are_not_copied_by_chance(bench: Bench) -> Problem:
    (bench.folder / 'here').mkdir()
    return first(*(outcome(bench.run('cp', *words), FAILED, b'', says='--recursive copies it')
                   for words in ((f'guest:{bench.agent.files}', 'x'),
                                 ('here', f'guest:{bench.agent.files}/x'))))


def without_ranges_it_is_said_to_people(bench: Bench) -> Problem:
    (bench.folder / 'here').write_bytes(b'here')
    words = 'cp', 'here', f'guest:{bench.agent.files}/plainly'
    with Screen(bench, *words) as screen:
        told = screen.shows(b'without novacron-file')
    return first(told, outcome(bench.run(*words), 0, b'', b''),
                 outcome(bench.run('cp', '-r', '.', f'guest:{bench.agent.files}/tree'), FAILED,
                         says='--recursive needs it'))


TESTS: List[Callable[[Bench], Problem]] = list(map(with_streams, (
    copies_are_equal, the_target_in_the_guest_is_replaced_as_a_whole,
    links_in_the_guest_stay_links, a_copy_out_of_the_guest_goes_on,
    a_rest_that_is_spoilt_is_noticed, a_copy_into_the_guest_goes_on,
    progress_is_shown_on_a_terminal, folders_are_not_copied_by_chance)))
TESTS += [without_ranges_it_is_said_to_people]
