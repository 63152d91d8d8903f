/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-exec-*: what is asked for, to the programs. */
#include <string.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/area.h"
#include "core/listing.h"
#include "core/refusal.h"
#include "extensions/exec/exec.h"
#include "gen/exec-commands.h"
#include "platform/child.h"
#include "runtime/qapi-base64.h"

void
ga_probe_exec(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GaAreaReport *report)
{
}

static Exec *
find(GaAgent *agent, const char *id, GError **error)
{
    return execs_find(execs_of(agent), id, error);
}

void
novacron_exec_start(GaCall *call, const NovacronExecStartArgs *args)
{
    GaAgent *agent = ga_call_agent(call);

    ga_account(ga_agent_account(agent), "novacron-exec-start",
               "novacron-exec-start called: \"%s\" as %s%s%s",
               args->argv->len > 0 ? (const char *)args->argv->pdata[0] : "",
               args->user ? args->user : "root", args->group ? ":" : "",
               args->group ? args->group : "");
    execs_start(execs_of(agent), call, args);
}

void
novacron_exec_read(GaCall *call, const NovacronExecReadArgs *args)
{
    GError *error = NULL;
    Exec *exec = find(ga_call_agent(call), args->id, &error);

    if (exec)
        exec_read(exec, call, args);
    else
        ga_call_fail(call, error);
}

/* In place. FALSE: refused. */
static gboolean
decode(char *text, gsize *ret_size, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (qapi_base64_decode(text, strlen(text), ret_size, &reason))
        return TRUE;
    ga_refuse(error, GA_REFUSAL_BAD_VALUE, "%s", reason->message);
    return FALSE;
}

NovacronExecWritten *
novacron_exec_write(GaAgent *agent, const NovacronExecWriteArgs *args, GError **error)
{
    Exec *exec = find(agent, args->id, error);
    gsize size;

    if (!exec || !decode(args->buf_b64, &size, error))
        return NULL;

    g_autoptr(NovacronExecWritten) written = g_new0(NovacronExecWritten, 1);
    if (!exec_write(exec, args->buf_b64, size, args->has_eof && args->eof, written, error))
        return NULL;
    return g_steal_pointer(&written);
}

gboolean
novacron_exec_signal(GaAgent *agent, const NovacronExecSignalArgs *args, GError **error)
{
    Exec *exec = find(agent, args->id, error);
    gint number = os_signal_number(args->signal);

    if (!exec)
        return FALSE;
    if (number)
        return exec_signal(exec, number, error);
    ga_refuse(error, GA_REFUSAL_BAD_VALUE, "there is no signal '%s'", args->signal);
    return FALSE;
}

gboolean
novacron_exec_resize(GaAgent *agent, const NovacronExecResizeArgs *args, GError **error)
{
    Exec *exec = find(agent, args->id, error);

    return exec && exec_resize(exec, args->columns, args->rows, error);
}

static gboolean
fill(GaTable *table, gpointer data, G_GNUC_UNUSED GError **error)
{
    const GPtrArray *all = execs_list(data);

    for (guint i = 0; i < all->len; i++) {
        g_autoptr(NovacronExec) description = exec_describe(all->pdata[i]);

        if (!ga_table_add(table, description))
            break;
    }
    return TRUE;
}

void
novacron_exec_list(GaCall *call, const NovacronPage *args)
{
    static const GaListing programs = { &novacron_exec_type, fill };

    ga_listing_run(&programs, call, args, execs_of(ga_call_agent(call)));
}

gboolean
novacron_exec_close(GaAgent *agent, const NovacronExecCloseArgs *args, GError **error)
{
    Exec *exec = find(agent, args->id, error);

    if (exec)
        exec_close(exec);
    return exec != NULL;
}
