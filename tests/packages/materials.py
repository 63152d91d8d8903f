# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests work with: our packages, Debian's, and a small Debian to install them in."""
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import image
from lib.suite import ROOT

MIRROR_LINE = re.compile(r'^bookworm (\S+)$', re.M)
# what qemu-guest-agent depends on, since there is no network in the guest
CONTENTS = ('systemd-sysv', 'udev', 'dbus', 'kmod', 'apt', 'passwd', 'libglib2.0-0', 'libnuma1',
            'liburing2', 'libudev1')
LEFT_OUT = ('/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/man/*')
AGENT, CLIENT, QEMU = 'novacron-guest-agent', 'novacronctl', 'qemu-guest-agent'
POLICY = 'selinux-policy-default'


def run(*command: str, cwd: Optional[Path] = None, **environment: str) -> str:
    """Standard output; everything that was said is part of the error."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError('%s: status %d\n%s' % (' '.join(command), done.returncode,
                                                    done.stdout[-3000:]))
    return done.stdout


def debian_root() -> Path:
    """A tar file, made once."""
    words = ' '.join((*CONTENTS, *LEFT_OUT))
    path = image.CACHE / ('debian-%s.tar' % hashlib.sha256(words.encode()).hexdigest()[:12])
    if not path.exists():
        sites = image.run('apt-get', 'indextargets', '--format', '$(RELEASE) $(SITE)')
        site = MIRROR_LINE.search(sites)
        if not site:
            raise image.Missing('the package sources of this machine have no bookworm')
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix('.new.tar')
        image.run('mmdebstrap', '--variant=minbase', '--mode=root',
                  '--include=' + ','.join(CONTENTS),
                  *('--dpkgopt=path-exclude=' + pattern for pattern in LEFT_OUT),
                  'bookworm', str(fresh), site[1])
        fresh.rename(path)
    return path


def downloaded(name: str) -> Path:
    """A package of Debian's, downloaded once and not installed."""
    place = image.CACHE / name
    if not list(place.glob('*.deb')):
        place.mkdir(parents=True, exist_ok=True)
        image.run('apt-get', '-q', 'download', name, cwd=place)
    return max(place.glob('*.deb'))


def qemu_package() -> Path:
    return downloaded(QEMU)


class Packages(NamedTuple):
    agent: Path
    client: Path
    rpm: Path
    policy: Path    # an RPM as well


def build(folder: Path) -> Packages:
    package = str(ROOT / 'contrib/package')
    run(package, 'deb', str(folder), DEB_BUILD_OPTIONS='noautodbgsym')
    run(package, 'rpm', str(folder))
    return Packages(*(next(folder.glob(pattern)) for pattern in
                      ('%s_*.deb' % AGENT, '%s_*.deb' % CLIENT, '%s-[0-9]*.rpm' % AGENT,
                       '%s-selinux-*.rpm' % AGENT)))


def newer(package: Path, folder: Path) -> Path:
    """The same package with a higher version."""
    tree = folder / 'newer'
    run('dpkg-deb', '-R', str(package), str(tree))
    control = tree / 'DEBIAN/control'
    control.write_text(re.sub('(?m)^Version: .*', r'\g<0>+next', control.read_text()))
    result = folder / 'next' / package.name
    result.parent.mkdir()
    run('dpkg-deb', '--root-owner-group', '-Zgzip', '-b', str(tree), str(result))
    shutil.rmtree(tree)
    return result


def fields(package: Path) -> Dict[str, str]:
    found = re.findall(r'^(\S+): (.*)$', run('dpkg-deb', '-f', str(package)), re.M)
    return dict(found)


def names(relation: str) -> List[str]:
    """Those of a Depends field."""
    return re.findall(r'(?:^|, )([^ ,]+)', relation)


def add_repository(root: Path, name: str, packages: List[Path], suite: str = '') -> None:
    """/srv/NAME for apt, which no network is needed for."""
    place = root / 'srv' / name
    place.mkdir(parents=True)
    for package in packages:
        shutil.copy(package, place)
    index = subprocess.run(['dpkg-scanpackages', '--multiversion', '.'], cwd=place, check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    (place / 'Packages').write_bytes(index.stdout)
    if suite:
        digest = hashlib.sha256(index.stdout).hexdigest()
        (place / 'Release').write_text(
            'Suite: %s\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n %s %d Packages\n'
            % (suite, digest, len(index.stdout)))


def use_repositories(root: Path, *names_: str) -> None:
    (root / 'etc/apt/sources.list').write_text(source_lines(*names_))


def source_lines(*names_: str) -> str:
    return ''.join('deb [trusted=yes] file:/srv/%s ./\n' % name for name in names_)


def unpack_root(folder: Path) -> Path:
    folder.mkdir()
    run('tar', '-x', '-f', str(debian_root()), '-C', str(folder))
    return folder
