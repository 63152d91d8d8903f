/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MariaDB and MySQL. MariaDB's backup stages keep all commits waiting. MySQL's lock permits them,
 * as InnoDB needs no more than a snapshot of all files at one moment, and keeps out what changes
 * the set of files. The read lock is for tables of engines without transactions: nobody writes.
 *
 * All of them end with the session, which is idle meanwhile: a server notices at once that an
 * idle client has gone.
 */
#include <mysql.h>
#include <string.h>
#include <sys/time.h>

#include "core/refusal.h"
#include "extensions/worker/serve.h"
#include "gen/commands.h"
#include "gen/database-commands.h"

/* The group of the server's option files whose user and password we take, as its own programs
 * take those of theirs. */
#define OPTION_GROUP "novacron"

/* Somebody who already has a lock is waited for, and others wait for us meanwhile. */
#define LOCK_WAIT_SECONDS 5

/* A server ends a session that was idle for so long. */
#define IDLE_SECONDS 31536000

#define MYSQL_WITH_BACKUP_LOCK 80000

typedef struct {
    const char *const *lock; /* NULL-terminated */
    const char *unlock;
    const char *position; /* a query for one; NULL: there is none */
} Method;

static const char *const stages[] = { "BACKUP STAGE START", "BACKUP STAGE FLUSH",
                                      "BACKUP STAGE BLOCK_DDL", "BACKUP STAGE BLOCK_COMMIT", NULL };
static const char *const instance[] = { "LOCK INSTANCE FOR BACKUP", NULL };
static const char *const tables[] = { "FLUSH TABLES WITH READ LOCK", NULL };

static const Method backup_stages = { stages, "BACKUP STAGE END",
                                      "SELECT NULLIF(@@global.gtid_binlog_pos, '')" };
static const Method backup_lock = { instance, "UNLOCK INSTANCE",
                                    "SELECT NULLIF(@@global.gtid_executed, '')" };
static const Method read_lock = { tables, "UNLOCK TABLES", NULL };

typedef struct {
    MYSQL *server;
    const Method *method;
} Session;

static void
refuse(const Session *session, const char *what, GError **error)
{
    ga_refuse(error, GA_REFUSAL_FAILED, "%s: %s (%u)", what, mysql_error(session->server),
              mysql_errno(session->server));
}

static gboolean
run(const Session *session, const char *statement, GError **error)
{
    if (mysql_query(session->server, statement) == 0)
        return TRUE;
    refuse(session, statement, error);
    return FALSE;
}

/* The first column of the only row. TRUE with NULL: it is NULL. */
static gboolean
ask(const Session *session, const char *query, char **ret_text, GError **error)
{
    if (!run(session, query, error))
        return FALSE;

    MYSQL_RES *result = mysql_store_result(session->server);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    *ret_text = row ? g_strdup(row[0]) : NULL;
    if (result)
        mysql_free_result(result);
    return TRUE;
}

/* Without more in the option files it is the user of the process' own name, who is known by the
 * socket and needs no password. No server has to ask us for a file. */
static gboolean
connect_to(Session *session, const DatabasePrepareArgs *args, GError **error)
{
    g_autofree char *path = ga_worker_pin_socket(args->address, args->uid, error);
    guint seconds = args->limit_ms / 1000 + 1, none = 0;

    if (!path)
        return FALSE;
    MYSQL *server = session->server = mysql_init(NULL);
    mysql_optionsv(server, MARIADB_OPT_USER, ga_worker_user());
    mysql_options(server, MYSQL_READ_DEFAULT_GROUP, OPTION_GROUP);
    mysql_options(server, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(server, MYSQL_OPT_LOCAL_INFILE, &none);
    mysql_options(server, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(server, "localhost", NULL, NULL, NULL, 0, path, 0))
        return TRUE;

    g_autofree char *what = g_strdup_printf("cannot connect to %s", args->address);
    refuse(session, what, error);
    return FALSE;
}

static gboolean
set_session(const Session *session, GError **error)
{
    g_autofree char *statement = g_strdup_printf(
        "SET SESSION lock_wait_timeout = %d, wait_timeout = %d, interactive_timeout = %d",
        LOCK_WAIT_SECONDS, IDLE_SECONDS, IDLE_SECONDS);

    return run(session, statement, error);
}

static const Method *
choose(MYSQL *server, gboolean has_read_lock)
{
    if (has_read_lock)
        return &read_lock;
    if (mariadb_connection(server))
        return &backup_stages;
    return mysql_get_server_version(server) >= MYSQL_WITH_BACKUP_LOCK ? &backup_lock : &read_lock;
}

DatabasePrepared *
database_prepare(GaAgent *agent, const DatabasePrepareArgs *args, GError **error)
{
    Session *session = g_new0(Session, 1);

    if (!connect_to(session, args, error) || !set_session(session, error)) {
        mysql_close(session->server);
        g_free(session);
        return NULL;
    }
    session->method = choose(session->server, args->read_lock);
    *ga_worker_memory(agent) = session;

    DatabasePrepared *prepared = g_new(DatabasePrepared, 1);
    prepared->version = g_strdup(mysql_get_server_info(session->server));
    prepared->detail = g_strdup_printf("to be held by %s", session->method->lock[0]);
    return prepared;
}

/* NULL: not prepared. */
static const Session *
prepared_session(GaAgent *agent, GError **error)
{
    const Session *session = *ga_worker_memory(agent);

    if (!session)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "nothing is prepared");
    return session;
}

/* The hold must not outlast its time, though an agent that is stopped would not end it. The
 * default action of the signal ends the process. */
static void
set_alarm(guint ms)
{
    const struct itimerval timer = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

    setitimer(ITIMER_REAL, &timer, NULL);
}

DatabaseHeld *
database_hold(GaAgent *agent, const DatabaseHoldArgs *args, GError **error)
{
    const Session *session = prepared_session(agent, error);
    char *position = NULL;

    if (!session)
        return NULL;
    set_alarm(args->held_ms);
    for (const char *const *statement = session->method->lock; *statement; statement++)
        if (!run(session, *statement, error))
            return NULL;
    if (session->method->position && !ask(session, session->method->position, &position, error))
        return NULL;

    DatabaseHeld *held = g_new(DatabaseHeld, 1);
    held->position = position;
    return held;
}

gboolean
database_release(GaAgent *agent, GError **error)
{
    const Session *session = prepared_session(agent, error);

    set_alarm(0);
    return session && run(session, session->method->unlock, error);
}

int
main(int argc, char **argv)
{
    return ga_worker_serve(argc, argv, &ga_command_table);
}
