# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of this suite gets: agents, also in a world where they can change nothing."""
import os
from pathlib import Path
from typing import List, Sequence, Tuple

from world import Node, Setting, World

from lib.agent import Agent
from lib.check import Check, Skip


class Bench(Check):
    def __init__(self, program: Sequence[str], full: bool, costs_count: bool, stub: Path):
        super().__init__(program, full, costs_count)
        self.stub = stub
        self.worlds: List[World] = []

    def start_in_world(self, *programs: str) -> Tuple[Agent, World]:
        """An agent with stand-ins for `programs` of the system, and for the system."""
        if os.geteuid() != 0:
            raise Skip('a world without the machine takes root')
        if not self.stub.exists():
            raise Skip(f'{self.stub} is not built')
        world = World(self.stub)
        self.worlds.append(world)
        nodes = {f'{folder}/{name}': Node('stub', mode=0o755) for name in programs
                 for folder in ('bin', 'sbin')}
        world.set(Setting(nodes))
        agent = world.agent(self.program)
        self.agents.append(agent)
        return agent.start(), world

    def close(self) -> None:
        super().close()
        for world in self.worlds:
            world.close()
