/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls. The argument struct lives behind the call itself, its strings in the
 * request, so that a small command costs one allocation of ours.
 */
#include "core/call.h"

#include <stddef.h>

#include "core/reply.h"
#include "core/session.h"
#include "runtime/qapi-error.h"
#include "runtime/qapi-read.h"

struct GaCall {
    GaSession *session;
    const GaCommand *command;
    QapiValue *request;
    const QapiNode *id;
    gboolean is_delimited;
    gboolean is_orphan;
    void (*seen)(gpointer user_data);
    gpointer seen_data;
    max_align_t arguments[]; /* command->args->size bytes */
};

GaCall *
ga_call_new(GaSession *session, const GaCommand *command, QapiValue *request, const QapiNode *id)
{
    GaCall *call = g_malloc0(sizeof *call + (command->args ? command->args->size : 0));

    call->session = session;
    call->command = command;
    call->request = qapi_value_ref(request);
    call->id = id;
    return call;
}

void
ga_call_free(GaCall *call)
{
    if (!call)
        return;
    if (call->command->args)
        qapi_clear(call->command->args, call->arguments, TRUE);
    qapi_value_unref(call->request);
    g_free(call);
}

/* The memory first: what the session does next may take its time. */
static void
settle(GaCall *call)
{
    GaSession *session = call->session;

    ga_call_free(call);
    ga_session_settled(session);
}

void
ga_call_start(GaCall *call, const QapiNode *arguments)
{
    static const QapiType no_arguments = { "", QAPI_KIND_STRUCT };
    const QapiType *type = call->command->args;
    GError *error = NULL;

    if (qapi_read_struct(type ? type : &no_arguments, call->request, arguments, QAPI_READ_BORROW,
                         call->arguments, &error))
        call->command->run(call, type ? call->arguments : NULL);
    else
        ga_call_fail(call, error);
}

/* Where a success is to be written; NULL: nowhere. */
static QapiWriter *
success_writer(const GaCall *call)
{
    if (call->is_orphan || call->command->flags & GA_COMMAND_SILENT_SUCCESS)
        return NULL;

    QapiWriter *writer = ga_session_writer(call->session);
    if (call->is_delimited)
        qapi_writer_raw(writer, "\xff");
    return writer;
}

void
ga_call_return(GaCall *call, gconstpointer place)
{
    QapiWriter *writer = success_writer(call);

    if (writer)
        ga_reply_return(writer, call->command->result, place, call->request, call->id);
    settle(call);
}

void
ga_call_return_text(GaCall *call, const char *text, gsize size)
{
    QapiWriter *writer = success_writer(call);

    if (writer)
        ga_reply_return_text(writer, text, size, call->request, call->id);
    settle(call);
}

void
ga_call_return_full(GaCall *call, gpointer result)
{
    const QapiType *type = call->command->result;

    if (type && qapi_kind_is_pointer(type->kind)) {
        ga_call_return(call, &result);
        qapi_free(type, result);
    } else {
        ga_call_return(call, result);
        g_free(result);
    }
}

void
ga_call_fail(GaCall *call, GError *error)
{
    if (!call->is_orphan)
        ga_reply_error(ga_session_writer(call->session), error, call->request, call->id);
    g_error_free(error);
    settle(call);
}

void
ga_call_drop(GaCall *call)
{
    if (!call)
        return;
    g_critical("%s was dropped without an answer", call->command->name);
    ga_call_fail(call, g_error_new(QAPI_ERROR, QAPI_ERROR_GENERIC, "%s: internal error",
                                   call->command->name));
}

void
ga_call_delimit(GaCall *call)
{
    call->is_delimited = TRUE;
}

void
ga_call_look_out(GaCall *call, void (*seen)(gpointer user_data), gpointer user_data)
{
    call->seen = seen;
    call->seen_data = user_data;
}

void
ga_call_see(GaCall *call)
{
    void (*seen)(gpointer user_data) = call->seen;

    call->seen = NULL;
    if (seen)
        seen(call->seen_data);
}

void
ga_call_orphan(GaCall *call)
{
    call->is_orphan = TRUE;
}

const GaSession *
ga_call_session(const GaCall *call)
{
    return call->session;
}

const GaCommand *
ga_call_command(const GaCall *call)
{
    return call->command;
}

GaAgent *
ga_call_agent(const GaCall *call)
{
    return ga_session_agent(call->session);
}
