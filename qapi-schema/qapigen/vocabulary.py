# SPDX-License-Identifier: GPL-2.0-or-later
"""
The words that schemas may use without defining them

Features carry the facts that the design needs and QAPI has no key for. What one
means is the same everywhere, hence it is told here and not at each use.
"""

import re
from dataclasses import dataclass
from typing import Dict, FrozenSet, Optional


@dataclass(frozen=True)
class Builtin:
    c_type: str
    descriptor: str
    is_pointer: bool
    token: str  # what tells it from others in an alternate
    words: str  # in the manual


BUILTINS: Dict[str, Builtin] = {
    'str': Builtin('char *', 'qapi_type_string', True, 'string', 'string'),
    'bool': Builtin('gboolean', 'qapi_type_bool', False, 'boolean', 'boolean'),
    'number': Builtin('gdouble', 'qapi_type_number', False, 'number', 'number'),
    'int': Builtin('gint64', 'qapi_type_int64', False, 'number', 'integer'),
    'int8': Builtin('gint8', 'qapi_type_int8', False, 'number', 'signed 8-bit integer'),
    'int16': Builtin('gint16', 'qapi_type_int16', False, 'number', 'signed 16-bit integer'),
    'int32': Builtin('gint32', 'qapi_type_int32', False, 'number', 'signed 32-bit integer'),
    'int64': Builtin('gint64', 'qapi_type_int64', False, 'number', 'integer'),
    'uint8': Builtin('guint8', 'qapi_type_uint8', False, 'number', 'unsigned 8-bit integer'),
    'uint16': Builtin('guint16', 'qapi_type_uint16', False, 'number', 'unsigned 16-bit integer'),
    'uint32': Builtin('guint32', 'qapi_type_uint32', False, 'number', 'unsigned 32-bit integer'),
    'uint64': Builtin('guint64', 'qapi_type_uint64', False, 'number', 'unsigned integer'),
    'size': Builtin('guint64', 'qapi_type_uint64', False, 'number', 'unsigned integer'),
    'any': Builtin('QapiAny *', 'qapi_type_any', True, 'any', 'any value'),
    'null': Builtin('gboolean', 'qapi_type_null', False, 'null', 'null'),
}
# Of what lists something: the core finds the arguments by their names (core/page.c).
TABLE, PAGE = 'NovacronTable', 'NovacronPage'

BASE64 = Builtin('GBytes *', 'qapi_type_base64', True, 'string', 'string, base64')


@dataclass(frozen=True)
class FeatureRule:
    pattern: 're.Pattern[str]'
    places: FrozenSet[str]
    words: str  # in the manual, with {} for what the pattern captured
    needs_doc: bool = False


def _rule(pattern: str, places: str, words: str, needs_doc: bool = False) -> FeatureRule:
    return FeatureRule(re.compile(pattern), frozenset(places.split()), words, needs_doc)


_ANYWHERE = 'command struct enum union alternate member value'
_RULES = (
    _rule('base64', 'member', 'Binary data in base64.'),
    _rule('allow-while-frozen', 'command', 'Runs while file systems are frozen.'),
    _rule('changes-guest', 'command', 'Changes the guest.'),
    _rule('secret', 'command', 'Has a secret among its arguments, which is never logged.'),
    _rule('cost-worker', 'command', 'The work is done by a worker process.'),
    _rule('cost-job', 'command', 'Starts a job; the reply does not wait for its end.'),
    _rule('reply-bound-([1-9][0-9]*)', 'command', 'A reply has at most {} bytes.'),
    _rule('power-([a-z0-9-]+)', 'command', 'Blocked wherever ``guest-{}`` is blocked.'),
    _rule('unstable', _ANYWHERE, 'May change or go away.', needs_doc=True),
    _rule('deprecated', _ANYWHERE, 'Kept for old clients; do not use it in new ones.',
          needs_doc=True),
)


def feature_rule(feature: str) -> Optional[FeatureRule]:
    return next((rule for rule in _RULES if rule.pattern.fullmatch(feature)), None)


def feature_words(feature: str) -> str:
    rule = feature_rule(feature)
    assert rule is not None
    match = rule.pattern.fullmatch(feature)
    return rule.words.format(*(match.groups() if match else ()))


def feature_command(feature: str) -> Optional[str]:
    """The upstream command that a power-COMMAND feature names."""
    prefix = 'power-'
    return 'guest-' + feature[len(prefix):] if feature.startswith(prefix) else None


def feature_bound(feature: str) -> Optional[int]:
    """The bytes that a reply-bound-N feature names."""
    prefix = 'reply-bound-'
    return int(feature[len(prefix):]) if feature.startswith(prefix) else None


# How the manual names the conditions of 'if'.
CONDITIONS = {
    'CONFIG_LINUX': 'Linux',
    'CONFIG_WIN32': 'Windows',
    'CONFIG_FREEBSD': 'FreeBSD',
    'CONFIG_FSFREEZE': 'systems that can freeze file systems',
    'CONFIG_FSTRIM': 'systems that can trim file systems',
    'CONFIG_GETLOADAVG': 'systems with a load average',
    'CONFIG_LIBUDEV': 'Linux with libudev',
    'HAVE_GETIFADDRS': 'systems with getifaddrs',
    'HAVE_UTMPX': 'systems with utmpx',
}
