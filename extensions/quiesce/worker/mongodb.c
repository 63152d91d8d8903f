/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MongoDB. With its journal beside its data, a snapshot of all its files at one moment is a good
 * one: what is still in memory is written, to make the freeze short, and nothing has to be held.
 * Nor is it: the lock that fsync can take is the server's, not the connection's. It would outlive
 * this process, and keep all writers waiting for somebody to come and unlock.
 */
#include <errno.h>
#include <mongoc/mongoc.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/refusal.h"
#include "extensions/worker/serve.h"
#include "gen/commands.h"
#include "gen/database-commands.h"

/* The server's number for: you are not allowed to. */
#define UNAUTHORIZED 13

/* Connections: the library would make one to what the path names by then, and another one, when
 * that is lost, to a server that may have been started again. */

static void
set_failure(bson_error_t *failure, const char *message)
{
    bson_set_error(failure, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%s", message);
}

static mongoc_stream_t *
connect_to_path(G_GNUC_UNUSED const mongoc_uri_t *uri, G_GNUC_UNUSED const mongoc_host_list_t *host,
                void *user_data, bson_error_t *ret_failure)
{
    mongoc_socket_t *connection = mongoc_socket_new(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_strlcpy(address.sun_path, user_data, sizeof address.sun_path);
    if (connection &&
        mongoc_socket_connect(connection, (struct sockaddr *)&address, sizeof address, -1) == 0)
        return mongoc_stream_socket_new(connection);
    set_failure(ret_failure, g_strerror(errno));
    mongoc_socket_destroy(connection);
    return NULL;
}

static mongoc_stream_t *
connect_no_more(G_GNUC_UNUSED const mongoc_uri_t *uri, G_GNUC_UNUSED const mongoc_host_list_t *host,
                G_GNUC_UNUSED void *user_data, bson_error_t *ret_failure)
{
    set_failure(ret_failure, "the connection was lost");
    return NULL;
}

/* Transfer full. */
static char *
describe_uri(const DatabasePrepareArgs *args)
{
    if (args->has_port)
        return g_strdup_printf(strchr(args->address, ':') ? "mongodb://[%s]:%u" : "mongodb://%s:%u",
                               args->address, args->port);

    g_autofree char *host = g_uri_escape_string(args->address, NULL, FALSE);
    return g_strconcat("mongodb://", host, NULL);
}

/* This very server is asked, not the primary of its replica set. The agent's limit comes first. */
static mongoc_client_t *
client_new(const DatabasePrepareArgs *args, GError **error)
{
    g_autofree char *text = describe_uri(args);
    bson_error_t failure;
    mongoc_uri_t *uri = mongoc_uri_new_with_error(text, &failure);

    if (!uri) {
        ga_refuse(error, GA_REFUSAL_FAILED, "cannot connect to %s: %s", args->address,
                  failure.message);
        return NULL;
    }
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, true);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, (gint32)args->limit_ms);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, (gint32)args->limit_ms);
    mongoc_client_t *made = mongoc_client_new_from_uri(uri);
    mongoc_uri_destroy(uri);
    mongoc_client_set_error_api(made, MONGOC_ERROR_API_VERSION_2);
    return made;
}

/* Commands. */

static void
refuse(GError **error, const char *command, const bson_error_t *failure)
{
    gboolean is_forbidden = failure->domain == MONGOC_ERROR_SERVER && failure->code == UNAUTHORIZED;

    ga_refuse(error, is_forbidden ? GA_REFUSAL_PERMISSION : GA_REFUSAL_FAILED, "%s: %s", command,
              failure->message);
}

/* `ret_reply` is to be destroyed, whatever is returned. */
static gboolean
ask(mongoc_client_t *client, const char *command, bson_t *ret_reply, GError **error)
{
    bson_error_t failure;
    bson_t document = BSON_INITIALIZER;

    bson_append_int32(&document, command, -1, 1);
    gboolean is_done = mongoc_client_command_simple(client, "admin", &document, NULL, ret_reply,
                                                    &failure);
    bson_destroy(&document);
    if (!is_done)
        refuse(error, command, &failure);
    return is_done;
}

static gboolean
run(mongoc_client_t *client, const char *command, GError **error)
{
    bson_t reply;
    gboolean is_done = ask(client, command, &reply, error);

    bson_destroy(&reply);
    return is_done;
}

/* Transfer full. */
static char *
ask_version(mongoc_client_t *client, GError **error)
{
    bson_t reply;
    bson_iter_t at;
    char *version = NULL;

    if (ask(client, "buildInfo", &reply, error)) {
        if (bson_iter_init_find(&at, &reply, "version") && BSON_ITER_HOLDS_UTF8(&at))
            version = g_strdup(bson_iter_utf8(&at, NULL));
        else
            ga_refuse(error, GA_REFUSAL_FAILED, "buildInfo: there is no version");
    }
    bson_destroy(&reply);
    return version;
}

DatabasePrepared *
database_prepare(GaAgent *agent, const DatabasePrepareArgs *args, GError **error)
{
    g_autofree char *path = args->has_port ? NULL
                                           : ga_worker_pin_socket(args->address, args->uid, error);

    if (!args->has_port && !path)
        return NULL;
    mongoc_client_t *client = client_new(args, error);
    if (!client)
        return NULL;
    *ga_worker_memory(agent) = client;
    if (path)
        mongoc_client_set_stream_initiator(client, connect_to_path, path);

    g_autofree char *version = ask_version(client, error);
    gboolean is_ready = version && run(client, "fsync", error);
    mongoc_client_set_stream_initiator(client, connect_no_more, NULL);
    if (!is_ready)
        return NULL;
    DatabasePrepared *prepared = g_new(DatabasePrepared, 1);
    prepared->version = g_steal_pointer(&version);
    prepared->detail = g_strdup("it has written what it had in memory");
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
    mongoc_client_t *client = *ga_worker_memory(agent);

    if (client)
        return run(client, "ping", error);
    ga_refuse(error, GA_REFUSAL_BAD_VALUE, "nothing is prepared");
    return FALSE;
}

/* The library counts what it does in a file in memory, for others to look at. It makes it before
 * the sandbox is there, would not remove it when it is killed, and in the sandbox it cannot. */
static void
remove_counters(void)
{
    g_autofree char *path = g_strdup_printf("/dev/shm/mongoc-%d", getpid());

    unlink(path);
}

int
main(int argc, char **argv)
{
    mongoc_init();
    remove_counters();
    _exit(ga_worker_serve(argc, argv, &ga_command_table));
}
