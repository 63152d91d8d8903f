# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of Debian packages that need not be installed on this machine.

What is missing is downloaded with all it depends on and unpacked into the cache of the tests
($NOVACRON_CACHE, default ~/.cache/novacron-tests); no package script runs, nothing is started.
"""
import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

from lib import oracle

# The programs of a PostgreSQL server are not in PATH.
MORE_FOLDERS = ['/usr/sbin', *sorted(map(str, Path('/usr/lib/postgresql').glob('*/bin')))]


def search_path(root: Path = Path('/nonexistent')) -> str:
    """The versioned folders come first: /usr/bin/psql is a wrapper that looks for a cluster."""
    unpacked = [*sorted(map(str, root.glob('usr/lib/postgresql/*/bin'))),
                f'{root}/usr/bin', f'{root}/usr/sbin']
    return ':'.join([*reversed(MORE_FOLDERS), os.environ.get('PATH', ''), *unpacked])


def environment(programs: Mapping[str, str], folder: Path) -> Dict[str, str]:
    """PATH and the like under which anybody can run `programs`, names to packages. Those that
    are not installed appear in `folder`: the cache may be the caller's only. Raises
    oracle.Unavailable."""
    missing = _missing(programs, search_path())
    if not missing:
        return {'PATH': search_path()}
    packages = sorted({programs[name] for name in missing})
    shutil.copytree(unpacked(packages), folder, symlinks=True, copy_function=_link)
    if _missing(programs, search_path(folder)):
        raise oracle.Unavailable(f'{_missing(programs, search_path(folder))} not in {packages}')
    return {'PATH': search_path(folder),
            'LD_LIBRARY_PATH': ':'.join(map(str, folder.glob('usr/lib/*-linux-gnu*')))}


def _missing(programs: Mapping[str, str], path: str) -> List[str]:
    return [name for name in programs if not shutil.which(name, path=path)]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:         # another file system
        shutil.copy2(source, target)


def unpacked(packages: Sequence[str]) -> Path:
    """The folder that holds `packages` and what they need beyond what is installed here."""
    cache = oracle.cache().parent / 'packages'
    root = cache / '+'.join(packages)
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / 'lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / 'complete').exists():
            _fetch(packages, root)
            (root / 'complete').touch()
    return root


def _fetch(packages: Sequence[str], root: Path) -> None:
    downloads = root / 'archives'
    (downloads / 'partial').mkdir(parents=True, exist_ok=True)
    _run(['apt-get', '-qq', '-y', '-o', f'Dir::Cache::archives={downloads}/',
          '-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User=root',
          '--no-install-recommends', '--download-only', 'install', *packages])
    for package in sorted(downloads.glob('*.deb')):
        _run(['dpkg-deb', '-x', str(package), str(root)])
    shutil.rmtree(downloads)


def _run(command: List[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise oracle.Unavailable(f'{command[0]}: {done.stdout.strip()}')
