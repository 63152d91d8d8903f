/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatch. Whether a command may run is asked before its arguments are looked at. */
#include "core/dispatch.h"

#include "core/agent.h"
#include "core/session.h"
#include "runtime/qapi-error.h"

GaCall *
ga_dispatch(GaSession *session, QapiValue *value, GaRequest *ret_request, GError **error)
{
    GaAgent *agent = ga_session_agent(session);

    if (!ga_request_read(value, ret_request, error))
        return NULL;

    const GaCommand *command = ga_command_find(ga_agent_table(agent), ret_request->command);
    if (!command) {
        g_set_error(error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND,
                    "The command %s has not been found", ret_request->command);
        return NULL;
    }
    if (command->flags & GA_COMMAND_SECRET) {
        qapi_value_set_secret(value);
        ga_session_forget_input(session);
    }
    if (!ga_gate_allows(ga_agent_gate(agent), command)) {
        g_set_error(error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND,
                    "Command %s has been disabled: the command is not allowed", command->name);
        return NULL;
    }
    return ga_call_new(session, command, value, ret_request->id);
}
