#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the kills strike where they should, and is what they break seen?

The agent here is a real qemu-ga: it has no deadline, so that a kill leaves everything frozen.
"""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, List, Sequence

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import toy
from freeze import GRACE, HOLD, KINDS, START, FreezeRun, FreezeScenario, Problem, \
    Restart, Script, World, expect, thawed_by_command
from lib import stage, suite
from lib.process import wait_until
from strace import Point, Recorder, Shot

SCRIPT = Script('agent', thawed_by_command, Restart.LATER)


class Toy:
    """toy.py in a folder of its own, waiting."""

    def __init__(self, folder: Path):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.process = subprocess.Popen([sys.executable, str(HERE / 'toy.py')], cwd=self.folder,
                                        stdin=subprocess.PIPE)
        assert self.process.stdin is not None
        wait_until(lambda: 'pipe' in Path(f'/proc/{self.process.pid}/wchan').read_text())

    def finish(self) -> int:
        self.process.stdin.write(b'.')
        self.process.stdin.close()
        return self.process.wait(20)

    def steps(self, name: str) -> int:
        return len(list(self.folder.glob(f'{name}-[0-9]')))


def points_of_toy(folder: Path) -> List[Point]:
    program = Toy(folder)
    recorder = Recorder(program.process.pid, folder)
    program.finish()
    return [point for point in recorder.points() if point.call == 'mkdir']


def every_kill_strikes_its_task_at_its_call(world: World) -> None:
    folder = world.stage.folder
    points = points_of_toy(folder)
    expect(len(points) == 4 * toy.STEPS + 1, f'{len(points)} points')
    for point in points:
        program = Toy(folder)
        shot = Shot(program.process.pid, point, folder)
        status = program.finish()
        shot.withdraw()
        process, thread = point.task
        expect(shot.fired is not None, f'{point} was not reached')
        expect((status == -signal.SIGKILL) == (process == 0), f'{point}: status {status}')
        if point.occurrence <= toy.STEPS:
            done = program.steps(f'{process}-{thread}')
            expect(done == point.occurrence - 1, f'{point}: {done} steps were done')
        expect((program.folder / 'end').exists() == (process == 1), f'{point} killed another')


def probers_see_a_freeze_and_its_end(world: World) -> None:
    began = time.monotonic()
    for mount in world.stage.mounts:
        stage.freeze(mount)
    frozen = time.monotonic()
    time.sleep(0.2)
    thawed = time.monotonic()
    world.stage.thaw()
    time.sleep(START)
    for name, prober in world.probers.items():
        delay = max(prober.since(began), key=lambda delay: delay.end - delay.start)
        late = world.lateness('agent', thawed - START, time.monotonic())
        expect(delay.start < frozen + START + late, f'{name}: a freeze was seen late')
        expect(thawed <= delay.end < thawed + GRACE + late, f'{name}: a thaw was seen late')


def frozen_run(world: World) -> 'contextlib.AbstractContextManager[FreezeRun]':
    return FreezeScenario(world, SCRIPT).begin()


def thawed_after(world: World, seconds: float) -> FreezeRun:
    """A run whose file systems are thawed by somebody that long after the request to freeze."""
    with frozen_run(world) as run:
        run.freeze()
        time.sleep(max(0.0, run.sent + seconds - time.monotonic()))
        world.stage.thaw()
        time.sleep(HOLD)
        run.await_thaw()
    return run


def a_thaw_in_time_is_one(world: World) -> None:
    thawed_after(world, world.deadline - GRACE)


def a_late_thaw_is_found(world: World) -> None:
    with refused('past the deadline'):
        thawed_after(world, world.deadline + 5 * GRACE)


def a_kill_of_an_agent_without_a_guardian_is_found(world: World) -> None:
    with frozen_run(world) as run, refused('is still frozen'):
        run.freeze()
        run.agent.process.kill()
        run.agent.process.wait()
        flaw = run.judge(time.monotonic())
        expect(wait_until(lambda: not run.is_frozen(), 1), 'the harness does not thaw')
        raise Problem(str(flaw))


def a_write_during_a_freeze_is_found(world: World) -> None:
    with frozen_run(world) as run, refused('was written to meanwhile'):
        run.freeze()
        stage.thaw(world.stage.mounts[0])
        time.sleep(HOLD)
        stage.freeze(world.stage.mounts[0])
        time.sleep(HOLD)
        run.thaw()


def a_writer_that_cannot_go_on_is_found_and_replaced(world: World) -> None:
    mount = world.stage.mounts[-1]
    (mount / 'old').touch()
    world.probers[mount.name].close()
    with refused('is read-only'):
        world.expect_able()
    world.repair()
    world.expect_able()
    expect(not (mount / 'old').exists(), 'the file system is still the same')


def what_must_not_be_frozen_is_found(world: World) -> None:
    with frozen_run(world) as run, refused('sees'):
        hidden = world.stage.mounts.pop()
        try:
            run.freeze()
        except stage.Leak as leak:
            raise Problem(str(leak)) from leak
        finally:
            world.stage.mounts.append(hidden)


@contextlib.contextmanager
def refused(text: str):
    """The block must find a problem that says so."""
    try:
        yield
    except Problem as problem:
        expect(text in str(problem), f'found is something else: {problem}')
        return
    raise Problem(f'nothing was found that "{text}"')


CHECKS: Sequence[Callable[[World], None]] = [
    every_kill_strikes_its_task_at_its_call, probers_see_a_freeze_and_its_end,
    a_thaw_in_time_is_one, a_late_thaw_is_found, a_kill_of_an_agent_without_a_guardian_is_found,
    a_write_during_a_freeze_is_found, a_writer_that_cannot_go_on_is_found_and_replaced,
    what_must_not_be_frozen_is_found,
]


def loops_of(folder: str) -> List[str]:
    return [str(path) for path in Path('/sys/block').glob('loop*/loop/backing_file')
            if folder in path.read_text()]


def a_killed_test_leaves_nothing_frozen(report: suite.Suite) -> None:
    """Nor mounted, nor a loop device: the janitor of a stage whose supervisor is killed."""
    script = (f'import sys, time; sys.path.insert(0, {str(HERE.parent)!r})\n'
              'from lib import stage\n'
              'def body(there):\n'
              '    stage.freeze(there.mounts[0]); print(there.folder, flush=True)\n'
              '    time.sleep(60)\n'
              "stage.perform(['ext4'], body)\n")
    with subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE,
                          text=True) as supervisor:
        folder = supervisor.stdout.readline().strip()
        attached = loops_of(folder)
        supervisor.kill()
    gone = wait_until(lambda: not os.path.exists(folder) and not loops_of(folder))
    report.judge('a killed test leaves nothing', None if attached and gone else
                 f'{attached} were attached, {loops_of(folder)} are now')


def problem_of(check: Callable[[World], None], world: World) -> 'str | None':
    try:
        check(world)
    except (OSError, RuntimeError, ValueError, AssertionError) as problem:
        return str(problem) or repr(problem)
    finally:
        world.stage.thaw()
    return None


def play(there: stage.Stage, program: Sequence[str]) -> int:
    report = suite.Suite()
    world = World(there, program)
    try:
        for check in CHECKS:
            report.judge(check.__name__, problem_of(check, world))
    finally:
        world.close()
    return report.finish()


def main() -> int:
    program = suite.oracle_or_skip('11.1')
    outside = suite.Suite()
    a_killed_test_leaves_nothing_frozen(outside)
    status = stage.perform(KINDS, lambda there: play(there, program))
    return status or (1 if outside.failed else 0)


if __name__ == '__main__':
    sys.exit(main())
