# SPDX-License-Identifier: GPL-2.0-or-later
"""
Emitter of the typed client binding: one function per command

A client talks to guests of every kind, so it is made from the model in which
all conditions count as met.
"""

from . import c, names
from .model import Command, Model, TypeRef

GENERIC = '''\
typedef struct QgaClient QgaClient;

/* Send `command` with the arguments at `args` (NULL if there are none) and read its result to
 * `ret_place`, where a member of that type would stand. With `silent`, no answer is success.
 * The program brings this function; those below only call it. */
gboolean qga_client_call(QgaClient *client, const char *command, const QapiType *args_type,
                         gconstpointer args, const QapiType *result_type, gpointer ret_place,
                         gboolean silent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
'''


def header(model: Model) -> str:
    parts = [c.banner(schema.source for schema in model.schemas), '#pragma once\n\n']
    parts += [f'#include "{model.folder}/{schema.name}.h"\n' for schema in model.schemas]
    parts += ['\n', GENERIC]
    for command in model.commands:
        text = c.sentence(command.text)
        parts += ['\n', c.comment(f'{command.name}: {text}' if text else command.name),
                  function(model, command, 'gboolean ', ') G_GNUC_WARN_UNUSED_RESULT;\n')]
    return ''.join(parts)


def function(model: Model, command: Command, returned: str, tail: str) -> str:
    parameters = ['QgaClient *client']
    if command.arguments:
        parameters.append(f'const {command.arguments} *args')
    if command.returns:
        parameters.append(f'{c.c_type(model, command.returns)}*ret_result')
    return c.wrapped(f'{returned}qga_{names.c_name(command.name)}(',
                     [*parameters, 'GError **error'], tail)


def source(model: Model) -> str:
    parts = [c.banner(schema.source for schema in model.schemas),
             f'#include "{model.folder}/client.h"\n']
    returned = [command.returns for command in model.commands if command.returns]
    parts += ['\n' + c.list_definition(reference, 'static ')
              for reference in c.builtin_lists(returned)]
    return ''.join(parts + [definition(model, command) for command in model.commands])


def definition(model: Model, command: Command) -> str:
    arguments = [f'&{c.descriptor(TypeRef(command.arguments))}', 'args'] if command.arguments \
        else ['NULL', 'NULL']
    result = [f'&{c.descriptor(command.returns)}', 'ret_result'] if command.returns \
        else ['NULL', 'NULL']
    silent = 'TRUE' if command.is_silent else 'FALSE'
    call = c.wrapped('    return qga_client_call(', [
        'client', f'"{command.name}"', *arguments, *result, silent, 'error'], ');\n')
    return f"\ngboolean\n{function(model, command, '', ')')}\n{{\n{call}}}\n"
