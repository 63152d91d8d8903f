#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real qemu-ga binaries that the agent is compared with.

They come out of Debian's packages, unpacked and never installed: the program and the
libraries it needs, of the same release, run through that release's own loader. So each
of them runs on any Debian machine, whatever is installed there. The packages are fetched
once, into $NOVACRON_CACHE (default ~/.cache/novacron-tests), from the mirror that the
machine's own package sources name.

Run by hand it fetches all of them and prints where they are.
"""
import fcntl
import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, NamedTuple

KEYRINGS = '/usr/share/keyrings'
LIBRARIES = ['libc6', 'libudev1', 'libnuma1', 'liburing2', 'libpcre2-8-0']


class Unavailable(Exception):
    """Cannot be fetched here, for instance without a network."""


class Source(NamedTuple):
    release: str            # where the agent's package comes from
    libraries_release: str
    libraries: List[str]
    banner: str             # what `--version` must print: releases move on


BOOKWORM_LIBRARIES = [*LIBRARIES, 'libglib2.0-0']
SID_LIBRARIES = [*LIBRARIES, 'libglib2.0-0t64', 'libatomic1', 'libcap2']
VERSIONS = {
    '11.1': Source('sid', 'sid', SID_LIBRARIES, 'QEMU Guest Agent 11.1.3'),
    '10.0': Source('bookworm-backports', 'bookworm', BOOKWORM_LIBRARIES, 'QEMU Guest Agent 10.0.'),
    '7.2': Source('bookworm', 'bookworm', BOOKWORM_LIBRARIES, 'QEMU Guest Agent 7.2.'),
}


def cache() -> Path:
    named = os.environ.get('NOVACRON_CACHE')
    return (Path(named) if named else Path.home() / '.cache' / 'novacron-tests') / 'oracle'


def program(version: str) -> List[str]:
    """The argument vector that runs qemu-ga `version`, which is fetched first if need be."""
    folder = cache() / version
    with locked(cache()):
        if not (folder / 'complete').exists():
            _fetch(VERSIONS[version], folder)
            _check(version, folder)
            (folder / 'complete').touch()
    return _command(folder)


def _command(folder: Path) -> List[str]:
    loader = next(folder.glob('usr/lib/*-linux-gnu*/ld-linux*.so.*'), None) \
        or next(folder.glob('lib/*-linux-gnu*/ld-linux*.so.*'), None)
    if loader is None:
        raise Unavailable(f'no loader among the libraries in {folder}')
    triplet = loader.parent.name
    libraries = f'{folder}/usr/lib/{triplet}:{folder}/lib/{triplet}'
    return [str(loader), '--library-path', libraries, str(folder / 'usr/sbin/qemu-ga')]


def _check(version: str, folder: Path) -> None:
    banner = _run([*_command(folder), '--version']).strip()
    if not banner.startswith(VERSIONS[version].banner):
        raise Unavailable(f'{VERSIONS[version].release} holds another one by now: {banner}')


def _run(command: List[str], cwd: Path = Path('/')) -> str:
    done = subprocess.run(command, cwd=cwd, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Unavailable(f'{command[0]}: {done.stderr.strip()}')
    return done.stdout


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """What is fetched is fetched by one process at a time; the others wait, and find it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / 'lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mirror() -> str:
    for line in _run(['apt-get', 'indextargets', '--format', '$(ORIGIN) $(SITE)']).splitlines():
        origin, _, site = line.partition(' ')
        if origin == 'Debian' and 'security' not in site:
            return site
    raise Unavailable('the package sources of this machine name no Debian mirror; '
                      'apt-get update makes them known')


def _apt(folder: Path) -> List[str]:
    """apt-get with sources, lists and cache of its own: the machine's stay untouched."""
    for name in ('etc/preferences.d', 'etc/apt.conf.d', 'state/lists/partial',
                 'cache/archives/partial'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / 'status').touch()
    options = {'Dir::Etc': folder / 'etc', 'Dir::State': folder / 'state',
               'Dir::Cache': folder / 'cache', 'Dir::State::status': folder / 'status',
               'APT::Sandbox::User': 'root'}
    words = ['apt-get', '-qq']
    for name, value in options.items():
        words += ['-o', f'{name}={value}']
    return words


def _indexed_apt() -> List[str]:
    """_apt() with fresh lists of every release that is needed."""
    apt = _apt(cache() / 'apt')
    keyring = next(Path(KEYRINGS).glob('debian-archive-keyring.*'), None)
    if keyring is None:
        raise Unavailable(f'no Debian archive keyring in {KEYRINGS}')
    releases = sorted({release for source in VERSIONS.values()
                       for release in (source.release, source.libraries_release)})
    mirror = _mirror()
    lines = [f'deb [signed-by={keyring} check-valid-until=no] {mirror} {release} main\n'
             for release in releases]
    (cache() / 'apt/etc/sources.list').write_text(''.join(lines))
    _run([*apt, 'update'])
    return apt


def _fetch(source: Source, folder: Path) -> None:
    apt = _indexed_apt()
    packages = [f'qemu-guest-agent/{source.release}',
                *(f'{name}/{source.libraries_release}' for name in source.libraries)]
    downloads = folder / 'packages'
    downloads.mkdir(parents=True, exist_ok=True)
    _run([*apt, 'download', *packages], cwd=downloads)
    for package in downloads.glob('*.deb'):
        _unpack(package, folder)
        package.unlink()


def _unpack(package: Path, folder: Path) -> None:
    """Only the program and shared libraries; no package script runs."""
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', str(package)],
                          stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode='r|') as archive:
            for member in archive:
                if member.name == './usr/sbin/qemu-ga' or '.so' in Path(member.name).name:
                    archive.extract(member, folder)


if __name__ == '__main__':
    try:
        for name in VERSIONS:
            print(name, *program(name))
    except Unavailable as error:
        sys.exit(str(error))
