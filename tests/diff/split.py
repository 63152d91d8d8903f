#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every request cut in two at every byte, and sent byte by byte: the answers are those of the
whole request. The agent has read the first part before the second is sent."""
import array
import fcntl
import re
import sys
import termios
import time
from pathlib import Path
from typing import Iterator, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import suite
from lib.agent import Agent
from lib.connection import TIMEOUT, Connection
from lib.text import difference

# One or more values each, always closed by the newline that is added.
REQUESTS = [
    b'{"execute":"guest-ping"}',
    b" { 'execute' : 'guest-ping' , 'id' : 'x' } ",
    b'{"execute":"guest-ping"}{"execute":"guest-ping","id":1}',
    b'{"execute":"guest-sync","arguments":{"id":-9223372036854775808}}',
    b'{"execute":"guest-sync","arguments":{"id":9223372036854775808}}',
    b'{"execute":"guest-sync-delimited","arguments":{"id":12}}',
    b'\xff{"execute":"guest-sync-delimited","arguments":{"id":12}}',
    b'{"execute":"guest-ping","id":[1,-2,3.5e-7,0,-0,-0.0,1e999,18446744073709551615]}',
    b'{"execute":"guest-ping","id":[true,false,null,[],{},[[]],{"":{}}]}',
    b'{"execute":"guest-ping","id":{"b":1,"a":2,"c":{"z":1,"y":2}}}',
    b'{"execute":"guest-ping","id":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\ud83d\\ude00"}',
    '{"execute":"guest-ping","id":"\u00e9\u20ac\U0001f600"}'.encode(),
    b"{'execute':'guest-ping','id':'\\'\"'}",
    b'{"execute":"guest-ping","id":"\xc0\x80"}',
    b'{"\\u0065xecute":"guest-ping"}',
    b'{"execute":"guest-ping","arguments":{"x":1}}',
    b'{"execute":"none"}', b'{"execute":1}', b'{}', b'[]', b'"text"', b'17 ', b'1.5 2 true null ',
    b'{"execute":"guest-ping","execute":"guest-ping"}',
    b'{"a":1,}', b'{"a" 1}', b'{1:2}', b'[1 2]', b'[1}', b'}', b']', b',', b'nul ', b'[truth]',
    b'-', b'-a', b'01', b'1.x', b'1e+', b'"\\x"', b'"\\u12"', b'"\\ud800"', b'"\\udbff\\udffe"',
    b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\x01"', b'"unfinished', b'@', b'\xef\xbb\xbf{}',
    b'{"a":[foo,{"execute":"guest-ping"}]}{"execute":"guest-ping"}', b'[\x00]', b'\xff\xff',
    b'{"execute":"guest-exec","arguments":{"path":"absent","arg":["a","b"],"env":["A=1"]}}',
    b'{"execute":"guest-file-open","arguments":{"path":"absent/file","mode":"r"}}',
    b'{"execute":"guest-file-write","arguments":{"handle":1,"buf-b64":"YWJj"}}',
]
LINE_NUMBER = re.compile(rb'"\d+:(\d+: JSON parse error)')
END = b'{"execute":"guest-sync","arguments":{"id":770000000}}\n', b'{"return": 770000000}\n'


def pieces(request: bytes) -> Iterator[List[bytes]]:
    for cut in range(1, len(request)):
        yield [request[:cut], request[cut:]]
    yield [bytes([byte]) for byte in request]


def wait_until_read(connection: Connection) -> None:
    """Until the agent has taken everything out of the socket."""
    unread = array.array('i', [1])
    deadline = time.monotonic() + TIMEOUT
    while unread[0] and time.monotonic() < deadline:
        fcntl.ioctl(connection.socket, termios.TIOCOUTQ, unread)


def answers(connection: Connection, parts: List[bytes]) -> bytes:
    """Without line numbers, which count from the agent's start."""
    for part in parts:
        wait_until_read(connection)
        connection.send(part)
    got = connection.ask(END[0])
    while not got.endswith(END[1]) and got.endswith(b'\n'):
        got += connection.read_line()
    return LINE_NUMBER.sub(rb'"LINE:\1', got)


def check(connection: Connection, request: bytes) -> Optional[str]:
    whole = answers(connection, [request])
    for parts in pieces(request):
        problem = difference(whole, answers(connection, parts))
        if problem:
            return f'in {len(parts)} parts, the first {parts[0]!r}: {problem}'
    return None


def main() -> int:
    chosen = suite.parser(__doc__).parse_args()
    report = suite.Suite()
    with Agent(suite.program(chosen.agent)).start() as agent:
        with agent.connect() as connection:
            for request in REQUESTS:
                report.judge(repr(request), check(connection, request + b'\n'))
        agent.stop()
        report.judge('the end of the agent', agent.complaint())
    return report.finish()


if __name__ == '__main__':
    sys.exit(main())
