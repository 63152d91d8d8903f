/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redis. An append-only file is complete whenever the file system is. Where only Redis' own
 * snapshots are kept, one is made; where nothing is kept, nothing is. Nothing has to be held.
 */
#include <hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "core/refusal.h"
#include "extensions/worker/serve.h"
#include "gen/commands.h"
#include "gen/database-commands.h"

/* How often is looked whether a save is over. */
#define LOOK_US 50000

/* NULL: there is none, or it is an error. */
static redisReply *
ask(redisContext *context, const char *command, GError **error)
{
    redisReply *reply = context ? redisCommand(context, command) : NULL;

    if (reply && reply->type != REDIS_REPLY_ERROR)
        return reply;
    if (reply && g_str_has_prefix(reply->str, "NOAUTH"))
        ga_refuse(error, GA_REFUSAL_PERMISSION, "%s: %s", command, reply->str);
    else
        ga_refuse(error, GA_REFUSAL_FAILED, "%s: %s", command,
                  reply     ? reply->str
                  : context ? context->errstr
                            : "nothing is prepared");
    if (reply)
        freeReplyObject(reply);
    return NULL;
}

/* A text, transfer full. */
static char *
ask_text(redisContext *context, const char *command, GError **error)
{
    redisReply *reply = ask(context, command, error);

    if (!reply)
        return NULL;
    char *text = g_strdup(reply->str ? reply->str : "");
    freeReplyObject(reply);
    return text;
}

/* The value of a line "NAME:VALUE", transfer full. */
static char *
field(const char *info, const char *name)
{
    g_autofree char *start = g_strdup_printf("\n%s:", name);
    const char *line = strstr(info, start);

    if (!line)
        return g_strdup("");
    line += strlen(start);
    return g_strndup(line, strcspn(line, "\r\n"));
}

static gboolean
is_field(const char *info, const char *name, const char *value)
{
    g_autofree char *found = field(info, name);

    return g_str_equal(found, value);
}

/* Whether the server saves now and then: CONFIG GET answers a name and a value. */
static gboolean
keeps_snapshots(redisContext *context, gboolean *ret_keeps, GError **error)
{
    redisReply *reply = ask(context, "CONFIG GET save", error);

    if (!reply)
        return FALSE;
    *ret_keeps = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                 reply->element[1]->str && *reply->element[1]->str;
    freeReplyObject(reply);
    return TRUE;
}

/* The agent's limit ends it. What INFO has to say then, transfer full. */
static char *
wait_for_save(redisContext *context, GError **error)
{
    for (;;) {
        char *info = ask_text(context, "INFO persistence", error);

        if (!info || !is_field(info, "rdb_bgsave_in_progress", "1"))
            return info;
        g_free(info);
        g_usleep(LOOK_US);
    }
}

/* A save that is under way lacks what was written since it began. */
static gboolean
save(redisContext *context, const char **ret_detail, GError **error)
{
    g_autofree char *before = wait_for_save(context, error);

    if (!before)
        return FALSE;
    if (is_field(before, "rdb_changes_since_last_save", "0")) {
        *ret_detail = "all is saved already";
        return TRUE;
    }

    g_autofree char *begun = ask_text(context, "BGSAVE", error);
    g_autofree char *after = begun ? wait_for_save(context, error) : NULL;
    if (!after)
        return FALSE;
    if (!is_field(after, "rdb_last_bgsave_status", "ok")) {
        ga_refuse(error, GA_REFUSAL_FAILED, "the server has failed to save");
        return FALSE;
    }
    *ret_detail = "it has saved";
    return TRUE;
}

static gboolean
make_ready(redisContext *context, const char **ret_detail, GError **error)
{
    g_autofree char *info = ask_text(context, "INFO persistence", error);
    gboolean keeps = FALSE;

    if (!info)
        return FALSE;
    if (is_field(info, "aof_enabled", "1")) {
        *ret_detail = "it has an append-only file";
        return TRUE;
    }
    if (!keeps_snapshots(context, &keeps, error))
        return FALSE;
    if (keeps)
        return save(context, ret_detail, error);
    *ret_detail = "it keeps nothing on the disk";
    return TRUE;
}

static redisContext *
connect_to(const DatabasePrepareArgs *args, GError **error)
{
    const struct timeval limit = { args->limit_ms / 1000, args->limit_ms % 1000 * 1000 };
    g_autofree char *path = args->has_port ? NULL
                                           : ga_worker_pin_socket(args->address, args->uid, error);

    if (!args->has_port && !path)
        return NULL;
    redisContext *context = path ? redisConnectUnixWithTimeout(path, limit)
                                 : redisConnectWithTimeout(args->address, args->port, limit);
    if (context && !context->err && redisSetTimeout(context, limit) == REDIS_OK)
        return context;
    ga_refuse(error, GA_REFUSAL_FAILED, "cannot connect to %s: %s", args->address,
              context ? context->errstr : "no memory");
    redisFree(context);
    return NULL;
}

DatabasePrepared *
database_prepare(GaAgent *agent, const DatabasePrepareArgs *args, GError **error)
{
    redisContext *context = connect_to(args, error);
    const char *detail;

    *ga_worker_memory(agent) = context;
    if (!context || !make_ready(context, &detail, error))
        return NULL;

    g_autofree char *info = ask_text(context, "INFO server", error);
    if (!info)
        return NULL;
    DatabasePrepared *prepared = g_new(DatabasePrepared, 1);
    prepared->version = field(info, "redis_version");
    prepared->detail = g_strdup(detail);
    return prepared;
}

DatabaseHeld *
database_hold(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED const DatabaseHoldArgs *args,
              G_GNUC_UNUSED GError **error)
{
    return g_new0(DatabaseHeld, 1);
}

gboolean
database_release(GaAgent *agent, GError **error)
{
    g_autofree char *answer = ask_text(*ga_worker_memory(agent), "PING", error);

    return answer != NULL;
}

int
main(int argc, char **argv)
{
    return ga_worker_serve(argc, argv, &ga_command_table);
}
