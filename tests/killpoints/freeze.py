# SPDX-License-Identifier: GPL-2.0-or-later
"""A freeze with a deadline, during which the agent or its guardian is killed.

What must be true, wherever the kill strikes:

- No file system stays frozen past the deadline by more than GRACE, beyond how late a timer
  beside it was. The deadline counts from the freeze as writers saw it.
- A thaw that answers a number means that writers were held from the freeze's answer until the
  thaw was asked for; a freeze that was answered and whose deadline has passed is followed by
  a thaw that answers an error. Otherwise a client would take a bad snapshot for a good one.
- In the end, restarted where it was killed, the agent says `thawed`, its marker is gone, the
  next thaw is an ordinary one, the next freeze and thaw work, and no guardian is left.
"""
import contextlib
import enum
import os
import signal
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Type

from lib.agent import Agent
from lib.connection import Connection
from lib.process import wait_until
from lib.stage import Stage, freeze
from lib.witness import Delay, Witness
from campaign import Flaw
from strace import Point

DEADLINES = 0.4, 2.0        # as short as the machine allows
GRACE = 0.05
AT_ONCE = 0.2               # for the agent to thaw without a guardian
ANSWER = 5.0                # for any answer
HOLD = 0.04                 # more than START
STUCK = 0.5                 # what is frozen for that much too long will never be thawed
START = 0.03                # a prober notices a freeze that soon
STAY = 3.0                  # for a guardian that has been told to go
POLL = 0.005
KINDS = ('ext4', 'xfs', 'btrfs')
STOP_THEN = ('sh', '-c', 'kill -STOP $$; exec "$@"', 'sh')
MARKER = 'qga.state.isfrozen'


class World:
    """What all runs share: the file systems, the witnesses, the agent under test."""

    def __init__(self, stage: Stage, program: Sequence[str]):
        self.stage = stage
        self.program = stage.confine(program)
        self.deadline = sorted((DEADLINES[0], 4 * slowest_freeze(stage), DEADLINES[1]))[1]
        self.probers = {mount.name: self._prober(mount) for mount in stage.mounts}
        # beside who has to thaw when the other is killed
        self.controls = {'agent': Witness(stage.folder / 'control-of-guardian', is_urgent=True),
                         'guardian': Witness(stage.folder / 'control-of-agent')}
        self.worst_overrun = -self.deadline     # how long past it, beyond the control's lateness

    def _prober(self, mount: Path) -> Witness:
        return Witness(self.stage.folder / f'prober-{mount.name}', mount, is_urgent=True)

    def expect_able(self) -> None:
        """A kernel (6.18) makes a btrfs read-only for good when a thread is killed that thaws it:
        the check of its super block does not survive a signal. Nothing is frozen then."""
        for name, prober in self.probers.items():
            expect(prober.is_able(), f'{name} is read-only, as its thaw was interrupted', Late)

    def repair(self) -> None:
        self.stage.thaw()
        for mount in self.stage.mounts:
            if not self.probers[mount.name].is_able():
                self.stage.renew(mount)
                self.probers[mount.name] = self._prober(mount)

    @property
    def mount_points(self) -> List[str]:
        return [self.stage.inside(mount) for mount in self.stage.mounts]

    def close(self) -> None:
        self.stage.thaw()
        for witness in (*self.probers.values(), *self.controls.values()):
            witness.close()

    def lateness(self, killed: str, since: float, until: float) -> float:
        """How late a timer was that was set for that span, of the one who is not killed."""
        return max((delay.end - delay.start for delay in self.controls[killed].since(since)
                    if delay.start <= until), default=0.0)

    def inhabitants(self) -> List[int]:
        """The processes that live on the stage: agents and guardians."""
        found = []
        for name in filter(str.isdigit, os.listdir('/proc')):
            with contextlib.suppress(OSError):
                if os.readlink(f'/proc/{name}/root') == str(self.stage.root) \
                        and state_of(int(name)) != 'Z':
                    found.append(int(name))
        return found


def state_of(pid: int) -> str:
    return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]


def slowest_freeze(stage: Stage) -> float:
    """Of some; it takes milliseconds or, on a busy machine, much of a second."""
    slowest = 0.0
    for _ in range(5):
        began = time.monotonic()
        for mount in stage.mounts:
            freeze(mount)
        slowest = max(slowest, time.monotonic() - began)
        stage.thaw()
    return slowest


class Problem(RuntimeError):
    """What is wrong with a run."""


class Late(Problem):
    """Which may be the fault of a busy machine or of the kernel: once."""


def expect(condition: bool, message: str, kind: Type[Problem] = Problem) -> None:
    """An assertion that survives `python3 -O`."""
    if not condition:
        raise kind(message)


class FreezeRun:
    """An agent, what it was asked, and what it answered."""
    configuration = ''

    def __init__(self, world: World, script: 'Script'):
        self.world = world
        self.script = script
        self.deadline = script.deadlines * world.deadline
        self.pid = 0
        self.agent = Agent(world.program)
        configuration = self.agent.folder / 'agent.conf'
        configuration.write_text(
            f'[novacron]\nfsfreeze-deadline-ms={round(self.deadline * 1000)}\n'
            + self.configuration)
        self.agent.arguments = ['-c', str(configuration)]
        self.client: Optional[Connection] = None
        self.started = 0.0
        self.sent = float('inf')                # when a freeze was asked for,
        self.answered: Optional[float] = None   # answered
        self.kept_until = 0.0                   # if it was put off, or may have been
        self.thaw_sent = False
        self.may_fail = False                   # the next thaw may answer an error
        self.is_owed = False                    # and must, once the deadline has passed
        self.early_refusal: Optional[str] = None
        self.miscount: Optional[int] = None
        self.thaw_answered = False
        self.problem: Optional[Problem] = None
        self.interruption: Optional[Exception] = None

    # doing

    def start(self) -> None:
        self.started = time.monotonic()
        self.agent.start()
        self.connect()

    def connect(self) -> None:
        if self.client:
            self.client.close()
        self.client = self.agent.connect()

    def ask(self, command: str, **arguments: object) -> object:
        assert self.client is not None
        return self.client.call(command, ANSWER, **arguments)

    def ask_freeze(self) -> object:
        """How many; never without the list, though the stage has nothing else to freeze."""
        return self.ask('guest-fsfreeze-freeze-list', mountpoints=self.world.mount_points)

    def ask_thaw(self) -> object:
        """How many; ValueError if something was wrong with the freeze."""
        return self.ask('guest-fsfreeze-thaw')

    def freeze(self) -> None:
        self.world.stage.forbid_others(self.agent.pid)
        self.sent, self.may_fail, self.kept_until = time.monotonic(), True, 0.0
        count = self.ask_freeze()
        self.answered, self.is_owed = time.monotonic(), True
        expect(count == len(self.world.probers), f'the freeze answers {count}')
        time.sleep(HOLD)

    def thaw(self, must_fail: bool = False) -> None:
        """The answer is judged by what has happened before."""
        may_fail, answered = self.may_fail, self.answered if self.is_owed else None
        asked = time.monotonic()
        self.thaw_sent, self.may_fail, self.is_owed = True, True, False
        try:
            count = self.ask_thaw()
        except ValueError as refusal:
            expect(may_fail, f'a thaw answers: {refusal}')
            if answered and time.monotonic() < self.due():
                self.early_refusal = str(refusal)
        else:
            expect(not must_fail, f'the deadline has passed, but the thaw answers {count}')
            if answered:
                self._expect_held(answered, asked)
                if count != len(self.world.probers) and time.monotonic() < self.due():
                    self.miscount = count
            elif not may_fail:
                expect(count == 0, f'a thaw of nothing answers {count}')
        self.may_fail, self.thaw_answered = False, True

    def _expect_held(self, since: float, until: float) -> None:
        """Nobody has written in between, as the thaw that was just answered says."""
        for name, prober in self.world.probers.items():
            held = any(delay.start <= since + START and delay.end >= until
                       for delay in prober.since(since))
            expect(held, f'the thaw answers a number, but {name} was written to meanwhile')

    def drive(self) -> None:
        try:
            self.script.drive(self)
        except Problem as problem:
            self.problem = problem
        except (OSError, RuntimeError, ValueError) as problem:
            self.interruption = problem     # which a kill explains; without one, judge() tells

    def victims(self) -> List[int]:
        if self.script.target == 'agent':
            return [self.agent.pid] if self.agent.is_running() else []
        return [pid for pid in self.world.inhabitants() if pid != self.agent.pid]

    # judging

    def due(self) -> float:
        """No freeze ends of itself before this, and none that began when it was asked for later."""
        return max(self.sent + self.deadline, self.kept_until)

    def await_thaw(self) -> None:
        """Until every file system can be written to; raises if that takes too long."""
        if self.sent == float('inf'):
            return
        wait_until(lambda: not self.is_frozen(), self.time_left())
        self.world.expect_able()
        for name, prober in self.world.probers.items():
            expect(not self._is_pending(prober), f'{name} is still frozen '
                   f'{time.monotonic() - self.sent:.3f} s after the request to freeze')
        for name, late in self.overruns().items():
            self.world.worst_overrun = max(self.world.worst_overrun, late)
            expect(late <= GRACE, f'{name} was frozen {late * 1000:.1f} ms past the deadline',
                   Late)

    def time_left(self) -> float:
        """Until what is still frozen counts as frozen for ever."""
        return max(0.0, self.due() + GRACE + STUCK - time.monotonic())

    def is_frozen(self) -> bool:
        return any(map(self._is_pending, self.world.probers.values()))

    def _is_pending(self, prober: Witness) -> bool:
        if not prober.is_able():
            return False
        delays = prober.since(self.sent)
        return bool(delays) and delays[-1].end == float('inf') \
            and time.monotonic() - delays[-1].start > START

    def overruns(self) -> Dict[str, float]:
        """How long past the deadline each one was frozen, beyond the control's lateness."""
        earliest = self.due()
        held = {name: [delay for delay in prober.since(earliest)
                       if delay.start >= self.sent and delay.end > earliest]
                for name, prober in self.world.probers.items()}
        starts = [delay.start for delays in held.values() for delay in delays]
        due = max(self.kept_until, self.deadline + min(
            [*starts, *([self.answered] if self.answered else [])], default=self.sent))
        return {name: max(self._lateness(due, delay) for delay in delays)
                for name, delays in held.items() if delays}

    def _lateness(self, due: float, delay: Delay) -> float:
        begin, end = max(due, delay.start), min(delay.end, time.monotonic())
        return end - begin - self.world.lateness(self.script.target, begin, end)

    def judge(self, killed: Optional[float]) -> Optional[Flaw]:
        guardian_killed = bool(killed) and self.script.target == 'guardian'
        try:
            self.world.expect_able()
            if self.problem:
                raise self.problem
            expect(bool(killed) or not self.interruption, repr(self.interruption), Late)
            if killed and not guardian_killed and killed > self.started:
                # its connection ends before it does
                wait_until(lambda: not self.agent.is_running(), ANSWER)
            self._revive()
            expect(guardian_killed or not self.early_refusal,
                   f'a thaw before the deadline answers: {self.early_refusal}')
            # who is killed may be a child that thaws: its work is done again, not counted again
            expect(guardian_killed or self.miscount is None,
                   f'{self.miscount} file systems were thawed')
            if killed and guardian_killed and not self.thaw_sent:
                self._expect_thawed_at_once(killed)
            self._expect_clean()
        except (OSError, RuntimeError, ValueError) as problem:
            self.world.stage.thaw()
            return Flaw(str(problem) or repr(problem), isinstance(problem, Late))
        return None

    def _revive(self) -> None:
        """What a service manager does, sooner or later."""
        dead = not self.agent.is_running()
        if dead and self.script.restart is not Restart.LATER:
            self.start()
            if self.script.restart is Restart.AND_THAW:
                self.thaw()
        self.await_thaw()
        if self.sent < float('inf') and not self.thaw_answered:
            # a marker may stand until the deadline
            time.sleep(max(0.0, self.due() + AT_ONCE - time.monotonic()))
        if not self.agent.is_running():
            self.start()

    def _expect_thawed_at_once(self, killed: float) -> None:
        """By an agent whose guardian has died."""
        for name, prober in self.world.probers.items():
            for delay in prober.since(killed):
                late = self._lateness(killed, delay)
                expect(delay.start > killed + START or late < AT_ONCE,
                       f'{name} was thawed {late * 1000:.1f} ms after the guardian had died',
                       Late)

    def _expect_clean(self) -> None:
        self.connect()
        marker = self.agent.state / MARKER      # which an agent that starts may have to remove
        wait_until(lambda: self._says_thawed() and not marker.exists(), AT_ONCE)
        expect(self._says_thawed(), 'nothing is frozen, but the status is frozen')
        expect(not marker.exists(), 'the marker is still there')
        self.thaw(must_fail=self.is_owed)
        self.thaw()
        try:
            self.freeze()
        except ValueError as refusal:       # for instance that the deadline has passed
            raise Late(str(refusal)) from refusal
        self.thaw()
        self.await_thaw()
        alone = wait_until(lambda: self.world.inhabitants() == [self.agent.pid], STAY)
        expect(alone, f'left over: processes {self.world.inhabitants()}, the agent is '
               f'{self.agent.pid}')

    def _says_thawed(self) -> bool:
        return self.ask('guest-fsfreeze-status') == 'thawed'

    def close(self) -> None:
        if self.client:
            self.client.close()
        self.agent.stop()
        for pid in self.world.inhabitants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.world.repair()
        while True:             # orphans: this is the first process of its namespace
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            break


class QuiesceRun(FreezeRun):
    """The same with a token, a deadline that can be put off, and a verdict."""
    configuration = 'areas=quiesce\nquiesce-maximum-ms=60000\n'

    token: Optional[object] = None

    def ask_freeze(self) -> object:
        answer = self.ask('novacron-quiesce-freeze', mountpoints=self.world.mount_points,
                          deadline_ms=round(self.deadline * 1000))
        assert isinstance(answer, dict)
        self.token = answer['token']
        return answer['file-systems']

    def ask_thaw(self) -> object:
        """Who has no token, or has used it, asks as others do."""
        token, self.token = self.token, None
        if token is None:
            return super().ask_thaw()
        answer = self.ask('novacron-quiesce-thaw', token=token)
        assert isinstance(answer, dict)
        if answer['verdict'] != 'consistent':
            raise ValueError(answer['verdict'])
        return answer.get('thawed', -1)

    def keep(self) -> None:
        """Without an answer the new deadline may hold or the old one."""
        try:
            self.ask('novacron-quiesce-keepalive', token=self.token,
                     extend_ms=round(self.deadline * 1000))
        finally:
            self.kept_until = time.monotonic() + self.deadline


def kept_and_thawed(run: QuiesceRun) -> None:
    run.freeze()
    run.keep()
    run.thaw()


def kept_and_expired(run: QuiesceRun) -> None:
    run.freeze()
    run.keep()
    await_deadline(run)


def thawed_by_command(run: FreezeRun) -> None:
    run.freeze()
    run.thaw()


def thawed_by_deadline(run: FreezeRun) -> None:
    run.freeze()
    await_deadline(run)


def await_deadline(run: FreezeRun) -> None:
    """And be told of it."""
    wait_until(lambda: not run.is_frozen() or not run.agent.is_running(), run.time_left())
    if not run.agent.is_running():
        return                  # to be restarted while everything is frozen still
    run.await_thaw()
    time.sleep(HOLD)
    run.ask('guest-fsfreeze-status')
    run.thaw(must_fail=True)
    run.thaw()


def thawed_by_successor(run: FreezeRun) -> None:
    """Of an agent that was killed while its file systems were frozen."""
    if run.script.target == 'agent':
        os.kill(run.pid, signal.SIGCONT)
    else:
        run.agent.start()
    run.connect()
    run.ask('guest-fsfreeze-status')
    run.thaw()


def thawed_after_stop(run: FreezeRun) -> None:
    """The agent is told to end, as for an upgrade; its guardian stays for the next one."""
    run.freeze()
    run.agent.process.terminate()
    wait_until(lambda: not run.agent.is_running(), ANSWER)
    run.start()
    run.thaw()


def left_to_successor(run: FreezeRun) -> None:
    """Nobody asks it to thaw. It may have no guardian to rely on."""
    run.agent.start()
    run.connect()
    wait_until(lambda: not run.is_frozen(), run.time_left())


class Restart(enum.Enum):
    LATER = 'after the deadline'
    AT_ONCE = 'at once'
    AND_THAW = 'at once, and asked to thaw'


class Script(NamedTuple):
    """One way for a freeze to go, who is killed, and when a killed agent is started again."""
    target: str
    drive: Callable[[Any], None]
    restart: Restart = Restart.LATER
    deadlines: int = 1          # how many times the usual one
    run: Type[FreezeRun] = FreezeRun

    @property
    def name(self) -> str:
        again = f', restarted {self.restart.value}' if self.target == 'agent' else ''
        what = 'quiesce' if self.run is QuiesceRun else 'freeze'
        return f'{what} {self.drive.__name__.replace("_", " ")}, {self.target} killed{again}'


SCRIPTS = [
    Script('agent', thawed_by_command),
    Script('agent', thawed_by_command, Restart.AND_THAW),
    Script('agent', thawed_by_deadline, Restart.AT_ONCE),
    Script('guardian', thawed_by_command),
    Script('guardian', thawed_by_deadline),
    Script('agent', thawed_by_successor, Restart.AND_THAW, 2),
    Script('agent', thawed_by_successor, Restart.LATER, 2),
    Script('guardian', thawed_by_successor, Restart.AT_ONCE, 2),
    Script('guardian', left_to_successor, Restart.AT_ONCE),
    Script('agent', thawed_after_stop, Restart.AND_THAW, 2),
    Script('guardian', thawed_after_stop, Restart.AT_ONCE, 2),
    Script('agent', kept_and_thawed, Restart.AND_THAW, run=QuiesceRun),
    Script('agent', kept_and_expired, Restart.AT_ONCE, run=QuiesceRun),
    Script('guardian', kept_and_thawed, run=QuiesceRun),
    Script('guardian', kept_and_expired, run=QuiesceRun),
]
OF_SUCCESSOR = (thawed_by_successor, left_to_successor)


class FreezeScenario:
    def __init__(self, world: World, script: Script):
        self._world = world
        self._script = script
        self.name = script.name

    @contextlib.contextmanager
    def begin(self) -> Iterator[FreezeRun]:
        run = self._script.run(self._world, self._script)
        try:
            run.start()
            run.pid = run.agent.pid
            if self._script.drive in OF_SUCCESSOR:
                self._orphan(run)
            yield run
        finally:
            run.close()

    def _orphan(self, run: FreezeRun) -> None:
        """Everything is frozen, the agent is dead; its successor waits to be let go, or will be
        started."""
        run.freeze()
        run.agent.process.kill()
        run.agent.process.wait()
        if self._script.target == 'guardian':
            guardians = self._world.inhabitants()
            expect(len(guardians) == 1, f'{len(guardians)} processes guard a dead agent')
            run.pid, = guardians
            return
        run.agent.program = [*STOP_THEN, *self._world.program]
        run.agent.start()
        run.agent.program = self._world.program
        run.pid = run.agent.pid
        wait_until(lambda: state_of(run.pid) == 'T')

    def choose(self, points: Sequence[Point]) -> List[Point]:
        if self._script.drive in OF_SUCCESSOR:
            begins = max((number for number, point in enumerate(points)
                          if point.call == 'execve'), default=-1)
            return [point for point in points[begins + 1:] if point.task.process == 0]
        wanted = self._script.target == 'agent'
        return [point for point in points if (point.task.process == 0) == wanted]

