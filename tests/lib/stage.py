# SPDX-License-Identifier: GPL-2.0-or-later
"""A small world with file systems that may be frozen, and nothing else that could be.

An agent freezes every local file system that it sees, and whoever then writes to one of
them waits until it is thawed: on the machine of a tester that would be the end of it. So
the agent under test lives behind chroot() in a mount namespace of its own, where all that
it sees are in-memory file systems and the images that were made for it: /proc/self/mountinfo
shows a process nothing that lies outside its root. A path means the same inside and
outside: the stage's own path is, inside, a link to the root.

Everything goes when the test ends, however it ends. The test is the first process of a
process namespace: the kernel ends what it has started when it dies. A janitor outside of it
holds the file systems and thaws them as soon as nobody else is there to do it; the images
are attached to loop devices that detach themselves with the last user.
"""
import ctypes
import errno
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, NoReturn, Optional, Sequence

from lib.suite import skip

CLONE_NEWNS, CLONE_NEWPID = 0x20000, 0x20000000
MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 0x40000, 2
PR_SET_PDEATHSIG = 1
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
MIB = 1 << 20
# image size in MiB (sparse; about the least that the program accepts) and how it is made
MAKERS: Dict[str, 'Maker'] = {}
JANITOR_ROUNDS = 20     # what is being killed may be in the middle of a freeze
LIBC = ctypes.CDLL(None, use_errno=True)


class Maker(NamedTuple):
    mebibytes: int
    command: Sequence[str]


MAKERS.update({
    'ext4': Maker(32, ('mkfs.ext4', '-q', '-F')),
    'xfs': Maker(300, ('mkfs.xfs', '-q', '-f')),
    'btrfs': Maker(128, ('mkfs.btrfs', '-q', '-f')),
})


class Leak(AssertionError):
    """The agent sees what it must not be able to freeze."""


def freeze(path: Path) -> bool:
    """Whether it was thawed until now."""
    return _freeze_ioctl(path, FIFREEZE, errno.EBUSY)


def thaw(path: Path) -> bool:
    """Whether it was frozen until now."""
    return _freeze_ioctl(path, FITHAW, errno.EINVAL)


def _freeze_ioctl(path: Path, request: int, nothing_to_do: int) -> bool:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(folder, request, 0)
        return True
    except OSError as error:
        if error.errno != nothing_to_do:
            raise
        return False
    finally:
        os.close(folder)


class Stage:
    """What the test gets: `root` is the agent's root, `mounts` are the file systems in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.root = folder / 'root'
        self.mounts: List[Path] = []

    def inside(self, path: Path) -> str:
        """The shortest name for `path` behind the chroot."""
        return '/' + str(path.relative_to(self.root))

    def confine(self, program: Sequence[str]) -> List[str]:
        """The argument vector that runs `program` in here; what it needs is copied."""
        for path in {path for word in program for path in word.split(':') if os.path.isabs(path)}:
            self._provide(Path(path))
        return ['chroot', str(self.root), *program]

    def _provide(self, path: Path) -> None:
        target = self.root / str(path).lstrip('/')
        if path.is_dir():       # of libraries: the agent's own loader searches it
            shutil.copytree(path, target, dirs_exist_ok=True)
            return
        if target.exists() or not path.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        linked = subprocess.run(['ldd', str(path)], stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.DEVNULL, check=False).stdout
        for library in re.findall(r'(/\S+) \(0x', linked):
            self._provide(Path(library))

    def forbid_others(self, pid: int) -> None:
        """Raises unless process `pid` sees the file systems of the stage alone."""
        allowed = {self.inside(mount) for mount in self.mounts}
        for line in Path(f'/proc/{pid}/mountinfo').read_text().splitlines():
            point, source = line.split()[4], line.partition(' - ')[2].split()[1]
            if source.startswith('/') and point not in allowed:
                raise Leak(f'process {pid} sees {source} on {point}')
        if os.readlink(f'/proc/{pid}/root') != str(self.root):
            raise Leak(f'the root of process {pid} is {os.readlink(f"/proc/{pid}/root")}')

    def renew(self, mount: Path) -> None:
        """A new file system instead of one that cannot be used any more."""
        LIBC.umount2(os.fsencode(mount), MNT_DETACH)
        _mount_image(MAKERS[mount.name.partition('-')[2]], mount, self.folder / 'images')

    def thaw(self) -> List[Path]:
        """What had to be thawed."""
        return [mount for mount in self.mounts if thaw(mount)]


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(kind: str, target: Path, options: str = '') -> None:
    target.mkdir(parents=True, exist_ok=True)
    _checked(LIBC.mount(kind.encode(), os.fsencode(target), kind.encode(), 0, options.encode()))


def _build(stage: Stage, kinds: Sequence[str], mebibytes: int, images: Optional[Path]) -> None:
    for name in ('images', 'root'):
        _mount('tmpfs', stage.folder / name)
    here = stage.root / str(stage.root).lstrip('/')
    here.parent.mkdir(parents=True)
    here.symlink_to('/')
    for name, kind in (('dev', 'devtmpfs'), ('sys', 'sysfs')):
        _mount(kind, stage.root / name)
    for name in ('proc', 'tmp', 'run', 'etc', 'var'):
        (stage.root / name).mkdir(exist_ok=True)
    for number, kind in enumerate(kinds):
        name = f'{number}-{kind}'
        mount = stage.root / 'mnt' / name
        mount.mkdir(parents=True)
        _mount_image(MAKERS[kind], mount, images or stage.folder / 'images', mebibytes)
        stage.mounts.append(mount)


def _mount_image(maker: Maker, mount: Path, folder: Path, mebibytes: int = 0) -> None:
    """The loop device goes with the mount, and so does the image, whose name goes at once."""
    with tempfile.NamedTemporaryFile(dir=folder) as image:
        image.truncate(max(maker.mebibytes, mebibytes) * MIB)
        subprocess.run([*maker.command, image.name], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(['mount', '-o', 'loop', image.name, str(mount)], check=True)


def _strike(stage: Stage) -> None:
    """Without a program's help: once the process namespace is dead nothing can be started."""
    stage.thaw()
    LIBC.umount2(os.fsencode(stage.folder), MNT_DETACH)
    os.rmdir(stage.folder)


def _fork_janitor(stage: Stage) -> int:
    """The write end of a pipe: the janitor does its work if it is closed with nothing written."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(reader)
        return writer
    try:
        os.setsid()
        os.close(writer)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if not os.read(reader, 1):
            for _ in range(JANITOR_ROUNDS):
                stage.thaw()
                time.sleep(0.05)
            _strike(stage)
    finally:
        os._exit(0)


def _play(stage: Stage, body: Callable[[Stage], int], supervisor: int) -> NoReturn:
    """The first process of the process namespace."""
    status = 1
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() != supervisor and os.getppid() != 0:
            os._exit(1)
        for folder in (Path('/proc'), stage.root / 'proc'):
            _mount('proc', folder)
        tempfile.tempdir = str(stage.root / 'tmp')
        status = body(stage)
    except SystemExit as request:
        status = request.code if isinstance(request.code, int) else 1
    except BaseException:       # whatever it is, nothing of the test may run on
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(child: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise


def perform(kinds: Sequence[str], body: Callable[[Stage], int], mebibytes: int = 0,
            images: Optional[Path] = None) -> int:
    """Run `body` on a stage with a file system of each of `kinds`; what it returns.

    `body` runs in a process of its own, in namespaces of its own, and ends with it. Each file
    system has at least that many `mebibytes`, and takes what is written to it, of memory or of
    the file system that holds the folder `images`.
    """
    if os.geteuid() != 0:
        skip('needs root')
    if not os.path.exists('/dev/loop-control'):
        skip('this machine has no loop devices')
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    if LIBC.unshare(CLONE_NEWNS):
        skip('no mount namespaces here')
    folder = Path(tempfile.mkdtemp(prefix='novacron-stage-'))
    stage = Stage(folder)
    try:
        _checked(LIBC.mount(None, b'/', None, MS_REC | MS_PRIVATE, None))
        _mount('tmpfs', folder)
        _build(stage, kinds, mebibytes, images)
        writer = _fork_janitor(stage)
        _checked(LIBC.unshare(CLONE_NEWPID))
        supervisor = os.getpid()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(writer)
            _play(stage, body, supervisor)
        status = _wait(child)
        os.write(writer, b'x')
        return status
    finally:
        _strike(stage)
