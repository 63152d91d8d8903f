# SPDX-License-Identifier: GPL-2.0-or-later
"""Emitter of handler prototypes, of the adapters around them and of the command table."""

from typing import List

from . import c, names
from .model import Command, Enum, Model, TypeRef
from .vocabulary import feature_bound, feature_command


def prototypes(model: Model, schema: str, source: str) -> str:
    """What the author of a command includes."""
    parts = [c.banner([source]), '#pragma once\n\n', '#include "core/call.h"\n',
             includes(model, schema)]
    if schema != model.schemas[0].name:
        parts += ['\n', c.comment('What this area needs and whether it is there.'),
                  f'void {probe(schema)}(GaAgent *agent, GaAreaReport *report);\n']
    for command in model.commands_of(schema):
        text = c.sentence(command.text)
        parts += ['\n', c.comment(f'{command.name}: {text}' if text else command.name),
                  handler(model, command)]
        if command.is_coroutine:
            parts.append(settler(model, command, 'void ', ');\n'))
    return ''.join(parts)


def includes(model: Model, schema: str) -> str:
    """This schema's types, and those of others that its commands return."""
    returned = {command.returns.name for command in model.commands_of(schema) if command.returns}
    stems = {model.types[name].schema for name in returned if name in model.types} | {schema}
    return ''.join(f'#include "{model.folder}/{other.name}.h"\n' for other in model.schemas
                   if other.name in stems)


def handler(model: Model, command: Command) -> str:
    """The declaration that a handler must match."""
    stem = names.c_name(command.name)
    arguments = [f'const {command.arguments} *args'] if command.arguments else []
    if command.is_coroutine:
        return c.wrapped(f'void {stem}(', ['GaCall *call', *arguments], ');\n')
    parameters = ['GaAgent *agent', *arguments]
    returned = 'gboolean '
    if command.returns and c.is_pointer(model, command.returns):
        returned = c.c_type(model, command.returns)
    elif command.returns:
        parameters.append(f'{c.c_type(model, command.returns)}*ret_value')
    return c.wrapped(f'{returned}{stem}(', [*parameters, 'GError **error'],
                     ') G_GNUC_WARN_UNUSED_RESULT;\n')


def settler(model: Model, command: Command, returned: str, tail: str) -> str:
    """The typed way of a coroutine to its reply."""
    parameters = ['GaCall *call']
    if command.returns:
        constant = 'const ' if c.is_pointer(model, command.returns) else ''
        parameters.append(f'{constant}{c.c_type(model, command.returns)}result')
    return c.wrapped(f'{returned}{names.c_name(command.name)}_return(', parameters, tail)


def table_header(model: Model) -> str:
    return c.banner(schema.source for schema in model.schemas) + (
        '#pragma once\n\n'
        '#include "core/command.h"\n\n'
        '/* All commands of this build, in the order of the schemas. */\n'
        'extern const GaCommandTable ga_command_table;\n')


def table(model: Model) -> str:
    parts = [c.banner(schema.source for schema in model.schemas), '#include "gen/commands.h"\n\n']
    parts += [f'#include "gen/{schema.name}-commands.h"\n' for schema in model.schemas]
    returned = [command.returns for command in model.commands if command.returns]
    parts += ['\n' + c.list_definition(reference, 'static ')
              for reference in c.builtin_lists(returned)]
    for command in model.commands:
        parts.append('\n' + adapter(model, command))
    return ''.join(parts) + '\n' + rows(model)


def adapter(model: Model, command: Command) -> str:
    stem = names.c_name(command.name)
    unused = '' if command.arguments else 'G_GNUC_UNUSED '
    head = f'static void\nrun_{stem}(GaCall *call, {unused}gconstpointer args)\n{{\n'
    arguments = ['args'] if command.arguments else []
    if command.is_coroutine:
        call = ', '.join(['call', *arguments])
        return f'{head}    {stem}({call});\n}}\n\n' + settler_definition(model, command)
    call = ', '.join(['ga_call_agent(call)', *arguments])
    if command.returns and c.is_pointer(model, command.returns):
        return head + run_pointer(model, command, f'{stem}({call}, &error)') + '}\n'
    return head + run_value(model, command, f'{stem}({call}') + '}\n'


def settler_definition(model: Model, command: Command) -> str:
    text = settler(model, command, '', ')')
    place = '&result' if command.returns else 'NULL'
    return f'void\n{text}\n{{\n    ga_call_return(call, {place});\n}}\n'


def run_pointer(model: Model, command: Command, call: str) -> str:
    assert command.returns
    return (
        '    GError *error = NULL;\n'
        f'    {c.c_type(model, command.returns)}result = {call};\n\n'
        '    if (!result) {\n'
        '        ga_call_fail(call, error);\n'
        '        return;\n'
        '    }\n'
        '    ga_call_return(call, &result);\n'
        f'    qapi_free(&{c.descriptor(command.returns)}, result);\n')


def run_value(model: Model, command: Command, call: str) -> str:
    declared, place, result = '', 'NULL', ''
    if command.returns:
        start = initial(model, command.returns)
        declared = f'    {c.c_type(model, command.returns)}result = {start};\n'
        place, result = '&result', ', &result'
    return (
        '    GError *error = NULL;\n'
        f'{declared}\n'
        f'    if ({call}{result}, &error))\n'
        f'        ga_call_return(call, {place});\n'
        '    else\n'
        '        ga_call_fail(call, error);\n')


def initial(model: Model, reference: TypeRef) -> str:
    enum = model.types.get(reference.name)
    return names.constant(enum.name, enum.values[0].name) if isinstance(enum, Enum) else '0'


def flags(command: Command) -> str:
    found = []
    if command.is_silent:
        found.append('GA_COMMAND_SILENT_SUCCESS')
    if 'allow-while-frozen' in command.features:
        found.append('GA_COMMAND_WHILE_FROZEN')
    if 'changes-guest' in command.features:
        found.append('GA_COMMAND_CHANGES_GUEST')
    if 'cost-worker' in command.features:
        found.append('GA_COMMAND_COST_WORKER')
    if 'cost-job' in command.features:
        found.append('GA_COMMAND_COST_JOB')
    if 'unstable' in command.features:
        found.append('GA_COMMAND_UNSTABLE')
    if 'secret' in command.features:
        found.append('GA_COMMAND_SECRET')
    return ' | '.join(found) or '0'


def reply_bound(command: Command) -> int:
    return next((bound for bound in map(feature_bound, command.features) if bound), 0)


def powers(command: Command) -> List[str]:
    return [name for name in map(feature_command, command.features) if name]


def powers_definition(command: Command) -> str:
    cells = [f'"{name}"' for name in powers(command)]
    return c.array(f'static const char *const powers_{names.c_name(command.name)}',
                   [*cells, 'NULL'])


def row(model: Model, command: Command) -> str:
    stem = names.c_name(command.name)
    arguments = f'&{c.descriptor(TypeRef(command.arguments))}' if command.arguments else 'NULL'
    returned = f'&{c.descriptor(command.returns)}' if command.returns else 'NULL'
    area = area_of(model, command)
    cells = [f'"{command.name}"', f'run_{stem}', arguments, returned, flags(command),
             str(reply_bound(command)), f'powers_{stem}' if powers(command) else 'NULL',
             f'&areas[{area - 1}]' if area else 'NULL']
    return c.wrapped('    { ', cells, ' },\n')


def area_of(model: Model, command: Command) -> int:
    """The number of the schema: the first one is upstream's, each other one is an area."""
    return [schema.name for schema in model.schemas].index(command.schema)


def rows(model: Model) -> str:
    if not model.commands:
        return 'const GaCommandTable ga_command_table = { NULL, 0, NULL, NULL, 0 };\n'
    # In the order of strcmp().
    by_name = sorted(range(len(model.commands)), key=lambda i: model.commands[i].name.encode())
    areas = [schema.name for schema in model.schemas[1:]]
    return (areas_definition(areas)
            + ''.join(powers_definition(command) + '\n' for command in model.commands
                    if powers(command))
            + 'static const GaCommand rows[] = {\n'
            + ''.join(row(model, command) for command in model.commands)
            + '};\n\n' + c.array('static const guint16 by_name', [str(row) for row in by_name])
            + '\nconst GaCommandTable ga_command_table = { rows, G_N_ELEMENTS(rows), by_name, '
            + ('areas, G_N_ELEMENTS(areas) };\n' if areas else 'NULL, 0 };\n'))


def areas_definition(areas: List[str]) -> str:
    if not areas:
        return ''
    return ('static const GaArea areas[] = {\n'
            + ''.join(f'    {{ "{area}", {probe(area)} }},\n' for area in areas) + '};\n\n')


def probe(area: str) -> str:
    return f'ga_probe_{names.c_name(area)}'
