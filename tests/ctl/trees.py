# SPDX-License-Identifier: GPL-2.0-or-later
"""cp --recursive: a folder as it was, whatever a guest tells, and on where it was cut."""
import base64
import hashlib
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from bench import FAILED, NO_ANSWER, PATIENCE, USAGE, Bench, Problem, expect, first, outcome, parsed
from copies import known_jobs
from fake import result
from programs import with_streams

Facts = Dict[str, Tuple[Any, ...]]
LARGE = (1 << 20) + 3
HOSTILE = ('', '.', '..', '../outside', '/outside', 'a/../../outside', 'sub/../../outside')


def make_tree(top: Path) -> None:
    """Of everything there is, in many folders; more names than a page of a list has."""
    for folder in ('', 'empty', 'deep/er/still', 'wide', 'closed'):
        (top / folder).mkdir(parents=True, exist_ok=True)
    for number in range(900):
        (top / 'wide' / f'a-rather-long-name-{number:04}-{"x" * 60}').write_bytes(b'%d' % number)
    (top / 'large').write_bytes(os.urandom(LARGE))
    (top / 'nothing').touch()
    (top / 'deep/er/still/fïle with spaces\n').write_bytes(b'deep')
    (top / ('n' * 255)).write_bytes(b'long name')
    (top / 'large').chmod(0o640)
    (top / 'nothing').chmod(0o4755)         # others' rights are not for us to give
    (top / 'deep/er').chmod(0o700)
    (top / 'to-file').symlink_to('large')
    (top / 'to-nowhere').symlink_to('/nonexistent/\t')
    (top / 'to-folder').symlink_to('deep')
    (top / 'closed/inside').write_bytes(b'inside')
    (top / 'closed').chmod(0o555)


def facts(top: Path) -> Facts:
    found: Facts = {}
    for path in (top, *top.rglob('*')):
        mode = path.lstat().st_mode
        content: Any = None
        if path.is_symlink():
            found[str(path.relative_to(top))] = ('link', os.readlink(path))
            continue
        if stat.S_ISREG(mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(top))] = (stat.S_IFMT(mode), mode & 0o777, content)
    return found


def differences(one: Path, other: Path) -> Problem:
    left, right = facts(one), facts(other)
    unlike = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    return expect(not unlike, f'{unlike[:5]}: {[left.get(name) for name in unlike[:5]]}, '
                              f'{[right.get(name) for name in unlike[:5]]}')


def a_folder_is_the_same_on_the_other_side(bench: Bench) -> Problem:
    here, there = bench.folder / 'here', bench.agent.files / 'there'
    make_tree(here)
    before = known_jobs(bench)
    done = bench.run('cp', '-r', 'here', f'guest:{there}', '--json')
    told = parsed(done) or {}
    problem = first(outcome(done, 0, err=b''), differences(here, there),
                    outcome(bench.run('cp', '--recursive', f'guest:{there}', 'back'), 0, b'', b''),
                    differences(there, bench.folder / 'back'),
                    expect((told['files'], told['folders'], told['links'], told['failures'])
                           == (905, 7, 3, 0), f'{told}'))
    left = [*bench.agent.files.rglob('.*'), *bench.folder.rglob('.*')]
    jobs = known_jobs(bench) - before
    return problem or expect(not left and not jobs, f'left: {left}, {jobs}')


def a_folder_that_is_there_is_completed(bench: Bench) -> Problem:
    """As with cp: into it. What has the same name is replaced, what else there is stays."""
    there = bench.agent.files / 'source'
    (there / 'in').mkdir(parents=True)
    (there / 'in/file').write_bytes(b'new')
    (there / 'link').symlink_to('new')
    mine = bench.folder / 'mine' / 'source'
    (mine / 'in').mkdir(parents=True)
    (mine / 'in/file').write_bytes(b'older')
    (mine / 'in/kept').write_bytes(b'kept')
    (mine / 'link').symlink_to('old')
    yours = bench.agent.files / 'yours'
    yours.mkdir()
    problem = first(outcome(bench.run('cp', '-r', f'guest:{there}/', 'mine'), 0, b'', b''),
                    *(outcome(bench.run('cp', '-r', 'mine/source/.', f'guest:{yours}'), 0, b'', b'')
                      for _ in range(2)),
                    differences(mine, yours / 'source'))
    kept = {str(path.relative_to(mine)) for path in mine.rglob('*')}
    return first(problem, expect(kept == {'in', 'in/file', 'in/kept', 'link'}, f'{kept}'),
                 expect((mine / 'in/file').read_bytes() == b'new', 'not replaced'),
                 expect(os.readlink(mine / 'link') == 'new', 'the link is the old one'),
                 outcome(bench.run('cp', '-r', f'guest:{there}/in/file', 'one'), 0, b'', b''),
                 outcome(bench.run('cp', 'mine', f'guest:{yours}'), FAILED, says='--recursive'),
                 outcome(bench.run('cp', '-r', 'guest:/', 'mine'), USAGE, says='no name'))


def links_of_the_target_are_not_followed(bench: Bench) -> Problem:
    """Neither here nor in the guest, though they were there before, or the copy makes them."""
    outside = bench.agent.files / 'outside'
    outside.mkdir()
    source = bench.agent.files / 'source'
    (source / 'sub').mkdir(parents=True)
    (source / 'sub/file').write_bytes(b'evil')
    (source / 'name').write_bytes(b'evil')
    (bench.folder / 'here/source').mkdir(parents=True)
    (bench.folder / 'here/source/sub').symlink_to(outside)
    (bench.folder / 'here/source/name').symlink_to(outside / 'name')
    out = bench.run('cp', '-r', f'guest:{source}', 'here')
    (bench.folder / 'link').symlink_to(outside)
    (bench.folder / 'into').mkdir()
    (bench.folder / 'into/source').symlink_to(outside)
    (bench.folder / 'into/name').symlink_to(outside / 'name')
    top = bench.run('cp', '-r', f'guest:{source}', 'into')
    single = bench.run('cp', f'guest:{source}/name', 'into')
    theirs = bench.agent.files / 'theirs'
    (theirs / 'copied').mkdir(parents=True)
    (theirs / 'copied/sub').symlink_to(outside)
    (bench.folder / 'copied/sub').mkdir(parents=True)
    (bench.folder / 'copied/sub/file').write_bytes(b'evil')
    into = bench.run('cp', '-r', 'copied', f'guest:{theirs}')
    return first(outcome(out, FAILED, says="'sub/file' is left out"),
                 expect((bench.folder / 'here/source/name').read_bytes() == b'evil', 'kept'),
                 outcome(top, FAILED, says='is no folder'),
                 outcome(single, FAILED, says='is a symbolic link'),
                 outcome(into, FAILED, says="'sub/file' is left out"),
                 expect(list(outside.iterdir()) == [], f'written: {list(outside.iterdir())}'))


def what_cannot_be_copied_is_said(bench: Bench) -> Problem:
    there = bench.agent.files / 'odd'
    there.mkdir()
    os.mkfifo(there / 'pipe')
    (there / 'good').write_bytes(b'good')
    with open(os.fsencode(there) + b'/\xff', 'wb'):
        pass
    done = bench.run('cp', '-r', f'guest:{there}', 'odd')
    back = bench.run('cp', '-r', str(there), f'guest:{there}-2')
    copied = [bench.folder / 'odd', Path(f'{there}-2')]
    return first(*(outcome(each, FAILED, b'', says=words) for each in (done, back)
                   for words in ("'pipe' is left out", 'not UTF-8', '2 files or folders')),
                 *(expect([path.name for path in folder.iterdir()] == ['good'], f'{folder}')
                   for folder in copied))


def status(kind: str) -> Dict[str, Any]:
    return {'type': kind, 'size-bytes': 4, 'allocated-bytes': 0, 'mode': '0755', 'uid': 0,
            'gid': 0, 'links': 1, 'device': 1, 'inode': 1, 'accessed-ns': 0, 'modified-ns': 0,
            'changed-ns': 0, 'version': 'v'}


def table(rows: List[Any]) -> Dict[str, Any]:
    return {'columns': ['name', 'type', 'mode', 'size-bytes', 'target'], 'rows': rows}


def hostile_guest(pages: Dict[str, List[List[Any]]]) -> Dict[str, Callable[[Any], bytes]]:
    """Its folders are what `pages` has; every file holds the same."""
    data = b'evil'
    piece = {'buf-b64': base64.b64encode(data).decode(), 'count': 4, 'eof': True, 'version': 'v',
             'sha256': hashlib.sha256(data).hexdigest(), 'size-bytes': 4}

    def rows(arguments: Dict[str, Any]) -> bytes:
        return result(table(pages.get(arguments['path'], pages.get('*', []))))
    return {'novacron-file-stat': lambda _: result(status('directory')),
            'novacron-file-list': rows, 'novacron-file-read': lambda _: result(piece)}


def entry(name: Any, kind: str = 'regular', target: Any = None) -> List[Any]:
    return [name, kind, '0777', 4, target]


def names_of_a_guest_do_not_lead_out(bench: Bench) -> Problem:
    box = bench.folder / 'box'
    box.mkdir()
    before = set(bench.folder.iterdir())
    rows = [entry(name, kind) for name in HOSTILE for kind in ('regular', 'directory', 'symlink')]
    rows += [entry('sub', 'directory'), entry('x' * 300), entry('esc\x1b[2J'), entry('good')]
    with bench.fake(hostile_guest({'/evil': rows, '/evil/sub': [entry('file')]})):
        done = bench.run_fake('cp', '-r', 'guest:/evil', 'box')
    found = {str(path.relative_to(box)) for path in box.rglob('*')}
    return first(outcome(done, FAILED, b'', says='no name of a file'),
                 expect(found == {'evil', 'evil/sub', 'evil/sub/file', 'evil/good',
                                  'evil/esc\x1b[2J'}, f'{found}'),
                 expect(b'\x1b' not in done.stderr, 'the guest writes to our terminal'),
                 expect(set(bench.folder.iterdir()) - {bench.folder / 'machines'} == before,
                        f'{list(bench.folder.iterdir())}'))


def a_guest_cannot_swap_a_folder_for_a_link(bench: Bench) -> Problem:
    """It tells of the same name twice: a link that leads out, and a folder or a file."""
    outside = bench.folder / 'outside'
    outside.mkdir()
    for rows in ([entry('x', 'symlink', str(outside)), entry('x', 'directory')],
                 [entry('x', 'directory'), entry('x', 'symlink', str(outside))],
                 [entry('x', 'symlink', str(outside / 'file')), entry('x')],
                 [entry('x'), entry('x', 'symlink', str(outside / 'file')), entry('x')]):
        pages = {'/evil': rows, '/evil/x': [entry('file')]}
        for _ in range(2):
            with bench.fake(hostile_guest(pages)):
                bench.run_fake('cp', '-r', 'guest:/evil', 'box')
        if list(outside.iterdir()):
            return f'{rows}: {list(outside.iterdir())}'
        subprocess.run(['rm', '-rf', bench.folder / 'box', bench.folder / 'evil'], check=True)
    return None


def folders_without_an_end_are_given_up(bench: Bench) -> Problem:
    with bench.fake(hostile_guest({'*': [entry('d' * 200, 'directory')]})):
        deep = bench.run_fake('cp', '-r', 'guest:/evil', 'deep')
    problem = outcome(deep, FAILED, b'', says='path is too long')
    for row in ([], entry(None), entry(5), entry('x', 'nonsense'), entry('x', target={})):
        with bench.fake(hostile_guest({'*': [row]})):
            done = bench.run_fake('cp', '-r', 'guest:/evil', 'nonsense')
        problem = problem or outcome(done, NO_ANSWER, b'')
    return problem or expect(not (bench.folder / 'nonsense').exists(), 'something is there')


def interrupt(bench: Bench, words: List[str], work: Callable[[], List[Path]],
              number: signal.Signals) -> Problem:
    """When some more of the files are there."""
    wanted = len(work()) + 200
    process = subprocess.Popen([bench.client, '-c', str(bench.socket), 'cp', '-r', *words],
                               cwd=bench.folder, stderr=subprocess.PIPE)
    while process.poll() is None and len(work()) < wanted:
        time.sleep(0.001)
    process.send_signal(number)
    message = process.communicate(timeout=PATIENCE)[1]
    return expect(process.returncode == (FAILED if number == signal.SIGINT else -number),
                  f'{process.returncode}: {message!r}')


def a_copy_of_a_folder_goes_on(bench: Bench) -> Problem:
    """It is hidden until it is complete, and does not begin anew."""
    source, there = bench.agent.files / 'source', bench.agent.files / 'there'
    make_tree(source)
    directions = ((str(source), f'guest:{there}', there), (f'guest:{source}', 'here',
                                                           bench.folder / 'here'))
    for origin, target, place in directions:
        def hidden(pattern: str, place: Path = place) -> List[Path]:
            return list(place.parent.glob(f'.{place.name}.{pattern}'))
        for number in (signal.SIGKILL, signal.SIGINT):
            problem = first(interrupt(bench, [origin, target], lambda: hidden('*/wide/a*'), number),
                            expect(not place.exists(), 'it is there before it is whole'))
            if problem:
                return f'{place.name}, {number.name}: {problem}'
        work = hidden('*')
        inode = work[0].stat().st_ino if work else 0
        problem = first(outcome(bench.run('cp', '-r', origin, target), 0, b'', b''),
                        differences(source, place),
                        expect(place.stat().st_ino == inode and not hidden('*'), 'begun anew'))
        if problem:
            return f'{place.name}: {problem}'
    return None


def large_files_that_are_there_are_not_sent_again(bench: Bench) -> Problem:
    source, there = bench.folder / 'source', bench.agent.files / 'there'
    source.mkdir()
    there.mkdir()
    (source / 'large').write_bytes(os.urandom(LARGE))
    (source / 'other').write_bytes(os.urandom(LARGE))
    words = ('cp', '-r', 'source', f'guest:{there}')
    back = ('cp', '-r', f'guest:{there}/source', 'back')
    (bench.folder / 'back').mkdir()
    problem = first(outcome(bench.run(*words), 0), outcome(bench.run(*back), 0))
    copies = [there / 'source', bench.folder / 'back/source']
    before = [[(copy / name).stat().st_ino for name in ('large', 'other')] for copy in copies]
    for copy in copies:
        with open(copy / 'other', 'r+b') as file:
            file.write(b'!')
    problem = problem or first(outcome(bench.run(*words), 0), outcome(bench.run(*back), 0))
    after = [[(copy / name).stat().st_ino for name in ('large', 'other')] for copy in copies]
    return first(problem, *(differences(source, copy) for copy in copies),
                 *(expect(old[0] == new[0] and old[1] != new[1], f'{before} {after}')
                   for old, new in zip(before, after)))


TESTS: List[Callable[[Bench], Problem]] = [
    *map(with_streams, (
        a_folder_is_the_same_on_the_other_side, a_folder_that_is_there_is_completed,
        links_of_the_target_are_not_followed, what_cannot_be_copied_is_said,
        a_copy_of_a_folder_goes_on, large_files_that_are_there_are_not_sent_again)),
    names_of_a_guest_do_not_lead_out, a_guest_cannot_swap_a_folder_for_a_link,
    folders_without_an_end_are_given_up,
]
