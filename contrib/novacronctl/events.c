/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has happened in the agent, and with --follow what happens: the agent sends nothing by
 * itself, so it is asked again and again. On a session of our own it answers when there is
 * something to tell; the channel that others use as well is left to them between two
 * questions. An agent that goes away is waited for.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>

#include "novacronctl/interrupt.h"
#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"
#include "novacronctl/table.h"

/* All that an agent keeps is one answer. */
#define READ_BYTES (1024 * 1024)

/* Between two questions where we must not wait, and between attempts to connect. */
#define PAUSE_MS 1000

typedef struct {
    const Subcommand *subcommand;
    QgaClient *client;
    QgaClient *own_client; /* of a later connection; NULL: the first one is good */
    GCancellable *told;    /* to stop */
    GArray *types;         /* NovacronEventType; NULL: all */
    Table *table;          /* NULL: JSON */
    gint64 epoch;          /* 0: nothing was read yet */
    guint64 after;
    guint32 wait_ms;
    gboolean is_away; /* and this was said */
} Follower;

static void
say(const Follower *follower, const char *text)
{
    fflush(stdout);
    if (!follower->subcommand->options->quiet)
        fprintf(stderr, "novacronctl: %s\n", text);
}

/* In this time. */
static gboolean
is_told(const Follower *follower, gint ms)
{
    GPollFD fd;

    if (!g_cancellable_make_pollfd(follower->told, &fd))
        return g_cancellable_is_cancelled(follower->told);
    gboolean is_told_now = g_poll(&fd, 1, ms) > 0;
    g_cancellable_release_fd(follower->told);
    return is_told_now;
}

static NovacronEvents *
read_events(const Follower *follower, GError **error)
{
    const NovacronEventReadArgs args = {
        .has_after = follower->after > 0,
        .after = follower->after,
        .types = follower->types,
        .has_max_bytes = TRUE,
        .max_bytes = READ_BYTES,
        .has_wait_ms = follower->wait_ms > 0,
        .wait_ms = follower->wait_ms,
    };
    NovacronEvents *events = NULL;
    GPollFD fd;

    gboolean is_watched = args.has_wait_ms && g_cancellable_make_pollfd(follower->told, &fd);
    if (is_watched)
        qga_client_hurry(follower->client, &fd, 1);
    gboolean is_read = qga_novacron_event_read(follower->client, &args, &events, error);
    if (is_watched)
        g_cancellable_release_fd(follower->told);
    return is_read ? events : NULL;
}

static char *
describe(const NovacronEvent *event)
{
    if (event->has_file_systems)
        return g_strdup_printf("%" G_GINT64_FORMAT " file system%s", event->file_systems,
                               event->file_systems == 1 ? "" : "s");
    if (event->has_outcome)
        return g_strdup(novacron_job_outcome_type.values[event->outcome]);
    if (event->has_status)
        return g_strdup(novacron_job_status_type.values[event->status]);
    if (event->has_exit_code)
        return g_strdup_printf("pid %" G_GINT64_FORMAT ", exit status %" G_GINT64_FORMAT,
                               event->pid, event->exit_code);
    if (event->has_signal)
        return g_strdup_printf("pid %" G_GINT64_FORMAT ", signal %" G_GINT64_FORMAT, event->pid,
                               event->signal);
    return event->has_pid ? g_strdup_printf("pid %" G_GINT64_FORMAT, event->pid) : NULL;
}

static void
print_rows(Table *table, const GPtrArray *events)
{
    for (guint i = 0; i < events->len; i++) {
        const NovacronEvent *event = events->pdata[i];

        table_take(table, output_time(event->time_ns));
        table_add(table, novacron_event_type_type.values[event->type]);
        table_add(table, event->id);
        table_take(table, describe(event));
    }
    table_print(table);
}

static void
show(const Follower *follower, const NovacronEvents *events)
{
    if (follower->table && events->lost > 0) {
        g_autofree char *text = g_strdup_printf(
            "%" G_GUINT64_FORMAT " events before these are no longer kept", events->lost);
        say(follower, text);
    }
    if (follower->table) {
        print_rows(follower->table, events->events);
    } else if (events->events->len > 0 || events->lost > 0) {
        g_autofree char *text = output_text(&novacron_events_type, &events);
        puts(text);
    }
    fflush(stdout);
}

/* How long an answer may take is the channel's; of one that does not say, the least. */
static void
learn_wait(Follower *follower)
{
    gint64 patience = qga_client_timeout(follower->client) / 1000 / 2;
    g_autoptr(NovacronInfo) info = NULL;

    follower->wait_ms = 0;
    if (qga_novacron_info(follower->client, &info, NULL) && !info->session->shared)
        follower->wait_ms = (guint32)MIN(info->session->max_wait_ms, patience);
}

/* FALSE: we were told to stop. */
static gboolean
reconnect(Follower *follower, const GError *error)
{
    const char *address = qga_client_address(follower->subcommand->client);
    gint64 timeout = qga_client_timeout(follower->subcommand->client);

    if (!follower->is_away) {
        g_autofree char *reason = output_clean(error->message);
        g_autofree char *text = g_strdup_printf("%s\nwaiting for the agent", reason);
        say(follower, text);
    }
    follower->is_away = TRUE;
    do {
        if (is_told(follower, PAUSE_MS))
            return FALSE;
        qga_client_free(follower->own_client);
        follower->own_client = qga_client_new(address, (gdouble)timeout / G_USEC_PER_SEC, NULL);
    } while (!follower->own_client);
    follower->client = follower->own_client;
    learn_wait(follower);
    return TRUE;
}

/* Another agent, whose numbers begin anew: FALSE, and it is to be asked from its beginning. */
static gboolean
is_same_agent(Follower *follower, const NovacronEvents *events)
{
    gboolean is_same = !follower->epoch || follower->epoch == events->epoch;

    if (!is_same)
        say(follower, "the agent was restarted");
    follower->epoch = events->epoch;
    follower->after = is_same ? events->next : 0;
    follower->is_away = FALSE;
    return is_same;
}

static void
take(Follower *follower, const NovacronEvents *events)
{
    if (is_same_agent(follower, events))
        show(follower, events);
}

static int
follow(Follower *follower, GError **error)
{
    gboolean goes_on = TRUE;

    if (follower->table)
        table_print(follower->table);
    learn_wait(follower);
    while (goes_on) {
        g_autoptr(GError) local = NULL;
        g_autoptr(NovacronEvents) events = read_events(follower, &local);

        if (events) {
            take(follower, events);
            goes_on = !is_told(follower, follower->wait_ms > 0 ? 0 : PAUSE_MS);
        } else if (follower->epoch && local->domain == QGA_CLIENT_ERROR) {
            goes_on = reconnect(follower, local);
        } else {
            g_propagate_error(error, g_steal_pointer(&local));
            return -1;
        }
    }
    return EXIT_SUCCESS;
}

static int
list(Follower *follower, GError **error)
{
    g_autoptr(NovacronEvents) events = read_events(follower, error);

    if (!events)
        return -1;
    if (follower->table)
        show(follower, events);
    else
        output_result(&novacron_events_type, &events);
    return EXIT_SUCCESS;
}

/* NULL: all, or an error. */
static GArray *
parse_types(const char *names, GError **error)
{
    const QapiType *known = &novacron_event_type_type;
    g_auto(GStrv) words = g_strsplit(names ? names : "", ",", -1);
    g_autoptr(GArray) types = g_array_new(FALSE, FALSE, sizeof(NovacronEventType));

    for (guint i = 0; words[i]; i++) {
        NovacronEventType type = 0;

        while (type < known->n_values && !g_str_equal(known->values[type], words[i]))
            type++;
        if (type == known->n_values) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "there are no events '%s'; novacronctl events --help lists the types",
                        words[i]);
            return NULL;
        }
        g_array_append_val(types, type);
    }
    return names ? g_steal_pointer(&types) : NULL;
}

/* Wide enough for what may come: a table that is printed piece by piece stays in line. */
static Table *
make_table(const char *columns, GError **error)
{
    static const char *const headings[] = { "TIME", "EVENT", "ID", "DETAILS" };
    static const guint widths[] = { 19, 17, 19, 0 };
    Table *table = table_new(headings, G_N_ELEMENTS(headings), columns, error);

    for (guint i = 0; table && i < G_N_ELEMENTS(widths); i++)
        table_reserve(table, i, widths[i]);
    return table;
}

int
events_run(const Subcommand *subcommand, GError **error)
{
    const Options *options = subcommand->options;
    g_autoptr(GError) local = NULL;
    g_autoptr(GArray) types = parse_types(options->types, &local);
    g_autoptr(Table) table = options->as_json || local ? NULL
                                                       : make_table(options->columns, &local);
    Follower follower = {
        .subcommand = subcommand, .client = subcommand->client, .types = types, .table = table
    };
    int status;

    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return -1;
    }
    if (!options->follow)
        return list(&follower, error);
    follower.told = interrupt_watch();
    status = follow(&follower, error);
    qga_client_free(follower.own_client);
    g_object_unref(follower.told);
    return status;
}
