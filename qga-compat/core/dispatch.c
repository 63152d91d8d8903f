/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatch. Whether a command may run is asked before its arguments are looked at. */
#include "core/dispatch.h"

#include "core/agent.h"
#include "core/request.h"
#include "core/session.h"
#include "runtime/qapi-error.h"

GaCall *
ga_dispatch(GaSession *session, QapiValue *value, const QapiNode **ret_id,
            const QapiNode **ret_arguments, GError **error)
{
    GaAgent *agent = ga_session_agent(session);
    GaRequest request;
    gboolean is_request = ga_request_read(value, &request, error);

    *ret_id = request.id;
    *ret_arguments = request.arguments;
    if (!is_request)
        return NULL;

    const GaCommand *command = ga_command_find(ga_agent_table(agent), request.command);
    if (!command) {
        g_set_error(error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND,
                    "The command %s has not been found", request.command);
        return NULL;
    }
    if (!ga_gate_allows(ga_agent_gate(agent), command)) {
        g_set_error(error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND,
                    "Command %s has been disabled: the command is not allowed", command->name);
        return NULL;
    }
    return ga_call_new(session, command, value, request.id);
}
