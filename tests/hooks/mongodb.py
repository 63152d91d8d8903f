# SPDX-License-Identifier: GPL-2.0-or-later
"""MongoDB, for which a stand-in answers: see mongod.py."""
import os
import shutil
from pathlib import Path
from typing import List

from bench import Server

STAND_IN = Path(__file__).resolve().with_name('mongod.py')


class MongoDB(Server):
    def start(self, *address: str) -> None:
        """At the address, or else at a socket."""
        # one that the user can read, and is known by
        program = shutil.copy(os.path.realpath('/usr/bin/python3'), self.folder / 'mongod')
        for name in ('listens', 'mongodb-27017.sock'):
            (self.folder / name).unlink(missing_ok=True)
        self.behave('well')
        self.launch([str(program), '-c', STAND_IN.read_text(), str(self.folder), *address],
                    (self.folder / 'listens').exists)

    def behave(self, manner: str) -> None:
        """`well`, `refuses` or `hangs`, and as if nothing had been asked."""
        (self.folder / 'manner').write_text(manner)
        (self.folder / 'asked').unlink(missing_ok=True)

    def asked(self) -> List[str]:
        asked = self.folder / 'asked'
        return asked.read_text().splitlines() if asked.exists() else []
