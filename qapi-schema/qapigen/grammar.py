# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms of expressions, and how to look into one that may be broken."""

from typing import Any, Dict, List, Optional

from .parse import Expression

# Key -> is mandatory.
KEYS: Dict[str, Dict[str, bool]] = {
    'enum': {'data': True, 'if': False, 'features': False},
    'struct': {'data': True, 'base': False, 'if': False, 'features': False},
    'union': {'base': True, 'discriminator': True, 'data': True, 'if': False, 'features': False},
    'alternate': {'data': True, 'if': False, 'features': False},
    'command': {'data': False, 'returns': False, 'success-response': False, 'coroutine': False,
                'boxed': False, 'if': False, 'features': False},
}


def kind_of(expression: Expression) -> Optional[str]:
    return next((key for key in expression.keys if key in KEYS), None)


def name_of(expression: Expression) -> str:
    kind = kind_of(expression)
    return str(expression.keys[kind]) if kind else ''


def plain_type(reference: Any) -> Any:
    """The element of a list type, any other type as it is."""
    return reference[0] if isinstance(reference, list) and len(reference) == 1 else reference


def member_type(member: Any) -> Any:
    return member.get('type') if isinstance(member, dict) else member


def feature_names(value: Any) -> List[str]:
    """The names in a well-formed or broken 'features' list."""
    listed = value if isinstance(value, list) else []
    found = [item.get('name') if isinstance(item, dict) else item for item in listed]
    return [name for name in found if isinstance(name, str)]
