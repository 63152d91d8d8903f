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

static MYSQL *connection;
static const Method *method;

static void
refuse(GError **error, const char *what)
{
    ga_refuse(error, GA_REFUSAL_FAILED, "%s: %s (%u)", what, mysql_error(connection),
              mysql_errno(connection));
}

static gboolean
run(const char *statement, GError **error)
{
    if (mysql_query(connection, statement) == 0)
        return TRUE;
    refuse(error, statement);
    return FALSE;
}

/* The first column of the only row. TRUE with NULL: it is NULL. */
static gboolean
ask(const char *query, char **ret_text, GError **error)
{
    if (!run(query, error))
        return FALSE;

    MYSQL_RES *result = mysql_store_result(connection);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    *ret_text = row ? g_strdup(row[0]) : NULL;
    if (result)
        mysql_free_result(result);
    return TRUE;
}

/* Without more in the option files it is the user of the process' own name, who is known by the
 * socket and needs no password. No server has to ask us for a file. */
static gboolean
connect_to(const DatabasePrepareArgs *args, GError **error)
{
    g_autofree char *path = ga_worker_pin_socket(args->address, args->uid, error);
    guint seconds = args->limit_ms / 1000 + 1, none = 0;

    if (!path)
        return FALSE;
    connection = mysql_init(NULL);
    mysql_optionsv(connection, MARIADB_OPT_USER, ga_worker_user());
    mysql_options(connection, MYSQL_READ_DEFAULT_GROUP, OPTION_GROUP);
    mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &none);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(connection, "localhost", NULL, NULL, NULL, 0, path, 0))
        return TRUE;

    g_autofree char *what = g_strdup_printf("cannot connect to %s", args->address);
    refuse(error, what);
    return FALSE;
}

static gboolean
set_session(GError **error)
{
    g_autofree char *statement = g_strdup_printf(
        "SET SESSION lock_wait_timeout = %d, wait_timeout = %d, interactive_timeout = %d",
        LOCK_WAIT_SECONDS, IDLE_SECONDS, IDLE_SECONDS);

    return run(statement, error);
}

static void
choose(gboolean has_read_lock)
{
    if (has_read_lock)
        method = &read_lock;
    else if (mariadb_connection(connection))
        method = &backup_stages;
    else
        method = mysql_get_server_version(connection) >= MYSQL_WITH_BACKUP_LOCK ? &backup_lock
                                                                                : &read_lock;
}

DatabasePrepared *
database_prepare(G_GNUC_UNUSED GaAgent *agent, const DatabasePrepareArgs *args, GError **error)
{
    if (!connect_to(args, error) || !set_session(error))
        return NULL;
    choose(args->read_lock);

    DatabasePrepared *prepared = g_new(DatabasePrepared, 1);
    prepared->version = g_strdup(mysql_get_server_info(connection));
    prepared->detail = g_strdup_printf("to be held by %s", method->lock[0]);
    return prepared;
}

static gboolean
is_prepared(GError **error)
{
    if (!method)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "nothing is prepared");
    return method != NULL;
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
database_hold(G_GNUC_UNUSED GaAgent *agent, const DatabaseHoldArgs *args, GError **error)
{
    char *position = NULL;

    if (!is_prepared(error))
        return NULL;
    set_alarm(args->held_ms);
    for (const char *const *statement = method->lock; *statement; statement++)
        if (!run(*statement, error))
            return NULL;
    if (method->position && !ask(method->position, &position, error))
        return NULL;

    DatabaseHeld *held = g_new(DatabaseHeld, 1);
    held->position = position;
    return held;
}

gboolean
database_release(G_GNUC_UNUSED GaAgent *agent, GError **error)
{
    set_alarm(0);
    return is_prepared(error) && run(method->unlock, error);
}

int
main(int argc, char **argv)
{
    return ga_worker_serve(argc, argv, &ga_command_table);
}
