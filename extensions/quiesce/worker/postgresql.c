/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PostgreSQL. A snapshot of all its files at one moment is what a crash would leave, and it
 * recovers from that by design: nothing has to be held. What can be done is to make the recovery
 * short, by a checkpoint, and to have on the disk what was acknowledged before it was there
 * (synchronous_commit=off).
 */
#include <libpq-fe.h>
#include <string.h>

#include "core/refusal.h"
#include "extensions/worker/serve.h"
#include "gen/commands.h"
#include "gen/database-commands.h"

#define PREFIX "/.s.PGSQL."

/* What libpq has to say ends with a newline, and may have several lines. */
static void
refuse(const PGconn *connection, const char *what, GError **error)
{
    g_autofree char *text = g_strdup(PQerrorMessage(connection));

    g_strdelimit(g_strchomp(text), "\n", ' ');
    ga_refuse(error, GA_REFUSAL_FAILED, "%s: %s", what, text);
}

/* The first column of the first row, transfer full; "" if there is none, NULL if it failed. */
static char *
ask(PGconn *connection, const char *statement, const char *what, GError **error)
{
    PGresult *result = PQexec(connection, statement);
    ExecStatusType status = PQresultStatus(result);
    char *text = NULL;

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        text = g_strdup(PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    else
        refuse(connection, what, error);
    PQclear(result);
    return text;
}

/* Older servers do not know this setting, and those who know it may end a session that is idle. */
#define STAY \
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"

/* A server may have been told to write nothing, to wait for others, or to end what takes long. The
 * path may be another's by now: only the server's own user is told anything. */
static PGconn *
connect_to(const char *directory, const char *port, guint limit_ms, GError **error)
{
    const char *user = ga_worker_user();
    g_autofree char *options = g_strdup_printf(
        "-c statement_timeout=%u -c synchronous_commit=local -c default_transaction_read_only=off",
        limit_ms);
    const char *const keywords[] = {
        "host",    "port",       "requirepeer",     "user", "dbname", "application_name", "options",
        "sslmode", "gssencmode", "client_encoding", NULL
    };
    const char *const values[] = { directory, port,      user,      user,   "postgres", "novacron",
                                   options,   "disable", "disable", "UTF8", NULL };

    PGconn *connection = PQconnectdbParams(keywords, values, FALSE);
    if (PQstatus(connection) == CONNECTION_OK)
        return connection;
    refuse(connection, "cannot connect", error);
    PQfinish(connection);
    return NULL;
}

DatabasePrepared *
database_prepare(GaAgent *agent, const DatabasePrepareArgs *args, GError **error)
{
    const char *last = strrchr(args->address, '/');

    if (!last || !g_str_has_prefix(last, PREFIX)) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is no socket of PostgreSQL", args->address);
        return NULL;
    }

    g_autofree char *directory = g_strndup(args->address, (gsize)(last - args->address));
    PGconn *connection = connect_to(directory, last + strlen(PREFIX), args->limit_ms, error);
    if (!connection)
        return NULL;
    *ga_worker_memory(agent) = connection;
    g_autofree char *stays = ask(connection, STAY, "no settings", error);
    g_autofree char *done = stays ? ask(connection, "CHECKPOINT", "no checkpoint", error) : NULL;
    if (!done)
        return NULL;

    DatabasePrepared *prepared = g_new(DatabasePrepared, 1);
    prepared->version = g_strdup(PQparameterStatus(connection, "server_version"));
    prepared->detail = g_strdup("a checkpoint was made");
    return prepared;
}

/* The commit of a transaction that has written something waits until all before it is on the disk.
 * A server that only follows another one writes nothing of its own. */
DatabaseHeld *
database_hold(GaAgent *agent, G_GNUC_UNUSED const DatabaseHoldArgs *args, GError **error)
{
    PGconn *connection = *ga_worker_memory(agent);
    g_autofree char *follows = ask(connection, "SELECT pg_is_in_recovery()", "no state", error);

    if (!follows)
        return NULL;

    const char *statement = g_str_equal(follows, "t")
                                ? "SELECT pg_last_wal_replay_lsn()"
                                : "SELECT pg_logical_emit_message(true, 'novacron', 'freeze')";
    char *position = ask(connection, statement, "no position", error);
    if (!position)
        return NULL;

    DatabaseHeld *held = g_new(DatabaseHeld, 1);
    held->position = position;
    return held;
}

gboolean
database_release(GaAgent *agent, GError **error)
{
    g_autofree char *answer = ask(*ga_worker_memory(agent), "SELECT 1", "the server has gone",
                                  error);

    return answer != NULL;
}

int
main(int argc, char **argv)
{
    return ga_worker_serve(argc, argv, &ga_command_table);
}
