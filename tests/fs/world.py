# SPDX-License-Identifier: GPL-2.0-or-later
"""Real file systems of all kinds, mounted in all ways, on a stage."""
import os
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping, Optional

import fuse
from lib.agent import Agent
from lib.stage import MAKERS, Stage

KINDS = ['ext4', 'xfs', 'btrfs']
ODD = 'o d\\d\t'


def run(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


class World:
    def __init__(self, stage: Stage, programs: Dict[str, List[str]]):
        self.stage = stage
        self.programs = {label: stage.confine(program) for label, program in programs.items()}
        self.folder = stage.root / 'mnt'
        self.images = stage.folder / 'images'
        self.n_images = 0
        self._fill()
        self._mount_in_other_ways()

    def _fill(self) -> None:
        for number, mount in enumerate(self.stage.mounts):
            (mount / 'file').write_bytes(os.urandom((number + 1) << 20))
            (mount / 'folder').mkdir()
            run('sync', '--file-system', mount)

    def mount(self, name: str, *options: object) -> Path:
        target = self.folder / name
        target.mkdir(exist_ok=True)
        run('mount', *options, target)
        return target

    def _mount_in_other_ways(self) -> None:
        """A file system twice, a folder of one, a read-only one, one at an odd place, one that is
        not on a device, one below another."""
        ext4, xfs, btrfs = self.stage.mounts
        run('btrfs', '-q', 'subvolume', 'create', btrfs / 'part')
        device = run('findmnt', '-n', '-o', 'SOURCE', '--target', btrfs)
        self.mount('btrfs-again', device)
        self.mount('btrfs-part', '-o', 'subvol=part', device)
        self.mount('bound', '--bind', ext4 / 'folder')
        self.mount('memory', '-t', 'tmpfs', 'none')
        self.make('ext4', self.folder / ODD, 'loop,ro')
        self.make('ext4', xfs / 'folder')

    def make(self, kind: str, target: Path, options: str = 'loop') -> None:
        """One more. An image is used once: its loop device goes a while after it is unmounted."""
        self.n_images += 1
        image = self.images / f'more-{self.n_images}'
        with open(image, 'wb') as file:
            file.truncate(MAKERS[kind].mebibytes << 20)
        run(*MAKERS[kind].command, image)
        target.mkdir(exist_ok=True)
        run('mount', '-o', options, image, target)

    def serve(self, name: str) -> fuse.Server:
        """A file system with a server, on a device of its own."""
        image = self.images / name
        with open(image, 'wb') as file:
            file.truncate(1 << 20)
        device = run('losetup', '--find', '--show', image)
        try:
            return fuse.Server(device, self.folder / name)
        finally:
            run('losetup', '--detach', device)      # when it is unmounted

    def agent(self, label: str, environment: Optional[Mapping[str, str]] = None) -> Agent:
        return Agent(self.programs[label], environment=environment)
