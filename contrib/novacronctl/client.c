/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and results, over a channel of whatever kind. */
#include "novacronctl/client.h"

#include <string.h>

#include "novacronctl/channel.h"
#include "novacronctl/output.h"
#include "runtime/qapi-exchange.h"

/* Between two attempts to connect again. The first may not take long: where half a request of ours
 * is left with the agent, a quarter of that time goes by in silence. */
#define RECONNECT_PAUSE_MS 200
#define RECONNECT_MIN_US G_TIME_SPAN_SECOND
#define RECONNECT_MAX_US (5 * G_TIME_SPAN_SECOND)

G_DEFINE_QUARK(qga_client_error, qga_client_error)

struct QgaClient {
    char *address;
    gint64 timeout;   /* in microseconds */
    Channel *channel; /* NULL: lost */
    gboolean can_hurry;
    GArray *hurried; /* GPollFD, of the next command */
    char *failed_command;

    gint64 patience;   /* in microseconds; 0: the first loss is the last */
    GPollFD stop;      /* fd -1: none */
    gint64 give_up_at; /* since a loss and until the next answer; 0: all is well */
    guint attempts;    /* since then */
    char *reason;      /* of the loss, on one line */
};

/* What can be carried out twice without a difference, as we ask for it: by offset, with an id or a
 * request-id of ours, or with the end as the only aim. */
static const char *const repeatable[] = {
    "guest-info",
    "novacron-capabilities",
    "novacron-exec-close",
    "novacron-exec-read",
    "novacron-exec-resize",
    "novacron-file-digest",
    "novacron-file-link",
    "novacron-file-list",
    "novacron-file-mkdir",
    "novacron-file-mode",
    "novacron-file-read",
    "novacron-file-remove",
    "novacron-file-rename",
    "novacron-file-stat",
    "novacron-file-upload-abort",
    "novacron-file-upload-begin",
    "novacron-file-upload-commit",
    "novacron-file-upload-write",
    "novacron-file-write",
    "novacron-job-cancel",
    "novacron-job-dismiss",
    "novacron-job-result",
    "novacron-job-wait",
    NULL,
};

/* Read a result of `type`; without a type, its value does not matter. */
static gboolean
read_reply(QgaClient *client, const char *line, const QapiType *type, gpointer ret_place,
           GError **error)
{
    g_autoptr(GError) local = NULL;

    switch (qapi_reply_read(line, strlen(line), type, ret_place, &local)) {
    case QAPI_REPLY_RETURN:
        return TRUE;
    case QAPI_REPLY_ERROR:
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    case QAPI_REPLY_BROKEN:
        break;
    }
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                "the answer of the agent at %s makes no sense: %s", client->address,
                local->message);
    return FALSE;
}

QgaClient *
qga_client_new(const char *address, gdouble timeout, GError **error)
{
    g_autoptr(QgaClient) client = g_new0(QgaClient, 1);

    client->address = g_strdup(address);
    client->timeout = (gint64)(timeout * G_USEC_PER_SEC);
    client->hurried = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    client->stop.fd = -1;
    client->channel = channel_open(client->address, client->timeout, error);
    if (!client->channel)
        return NULL;
    client->can_hurry = client->channel->kind->hurry != NULL;
    return g_steal_pointer(&client);
}

void
qga_client_free(QgaClient *client)
{
    if (!client)
        return;
    channel_free(client->channel);
    g_array_unref(client->hurried);
    g_free(client->reason);
    g_free(client->failed_command);
    g_free(client->address);
    g_free(client);
}

const char *
qga_client_address(const QgaClient *client)
{
    return client->address;
}

gint64
qga_client_timeout(const QgaClient *client)
{
    return client->timeout;
}

gboolean
qga_client_hurry(QgaClient *client, const GPollFD *fds, guint n_fds)
{
    g_array_set_size(client->hurried, 0);
    g_array_append_vals(client->hurried, fds, n_fds);
    return client->can_hurry;
}

const char *
qga_client_failed_command(const QgaClient *client)
{
    return client->failed_command;
}

void
qga_client_blame(QgaClient *client, const char *command)
{
    g_free(client->failed_command);
    client->failed_command = g_strdup(command);
}

char *
qga_client_ask(QgaClient *client, const char *request, gsize size, GError **error)
{
    const ChannelKind *kind = client->channel->kind;

    if (client->can_hurry)
        kind->hurry(client->channel, (const GPollFD *)(gpointer)client->hurried->data,
                    client->hurried->len);
    return kind->ask(client->channel, request, size, client->timeout, error);
}

void
qga_client_persist(QgaClient *client, gdouble patience)
{
    client->patience = (gint64)(patience * G_USEC_PER_SEC);
}

void
qga_client_stop_at(QgaClient *client, const GPollFD *stop)
{
    client->stop = stop ? *stop : (GPollFD){ .fd = -1 };
}

gboolean
qga_client_outlives(const QgaClient *client, const GError *error)
{
    return client->patience > 0 && error->domain == QGA_CLIENT_ERROR &&
           error->code != QGA_CLIENT_ERROR_PROTOCOL;
}

/* The connection is good for nothing any more. */
static void
lose(QgaClient *client, const GError *reason)
{
    g_clear_pointer(&client->channel, channel_free);
    if (client->give_up_at > 0)
        return;
    g_free(client->reason);
    client->reason = g_strndup(reason->message, strcspn(reason->message, "\n"));
    client->give_up_at = g_get_monotonic_time() + client->patience;
    client->attempts = 0;
}

/* FALSE: told to stop. */
static gboolean
pause_attempts(const QgaClient *client)
{
    GPollFD stop = client->stop;

    return g_poll(&stop, stop.fd >= 0 ? 1 : 0, RECONNECT_PAUSE_MS) == 0;
}

static gboolean
reconnect(QgaClient *client, GError **error)
{
    if (client->attempts == 0)
        output_note("%s; trying for %g s to go on", client->reason,
                    (gdouble)client->patience / G_USEC_PER_SEC);
    for (;;) {
        gint64 left = client->give_up_at - g_get_monotonic_time();
        g_autoptr(GError) local = NULL;

        /* At once, and then not too often. */
        if (client->attempts++ > 0 && !pause_attempts(client)) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR,
                        "told to stop without a connection");
            return FALSE;
        }
        client->channel = channel_open(
            client->address, CLAMP(left, RECONNECT_MIN_US, MIN(client->timeout, RECONNECT_MAX_US)),
            &local);
        if (client->channel)
            return TRUE;
        if (left <= 0) {
            g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CLOSED, "gave up after %g s: %s",
                        (gdouble)client->patience / G_USEC_PER_SEC, local->message);
            return FALSE;
        }
    }
}

/* What we send is JSON. An agent that says otherwise has not seen all of it: on a port that stays,
 * a former one has ended with the beginning. */
static gboolean
is_half_heard(const char *line)
{
    return g_str_has_prefix(line, "{\"error\"") && strstr(line, ": JSON parse error, ");
}

static char *
ask_whole(QgaClient *client, const char *request, gsize size, GError **error)
{
    char *line = qga_client_ask(client, request, size, error);

    if (!line || !is_half_heard(line))
        return line;
    g_free(line);
    g_set_error_literal(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CLOSED,
                        "of what was sent to the agent a part is lost");
    return NULL;
}

/* Until there is an answer, or no hope. */
static char *
ask_persistently(QgaClient *client, const char *command, const char *request, gsize size,
                 GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;

        if (!client->channel && !reconnect(client, error))
            return NULL;
        char *line = ask_whole(client, request, size, &local);
        if (line && client->give_up_at > 0)
            output_note("connected again");
        if (line)
            client->give_up_at = 0;
        if (line)
            return line;
        gboolean is_lost = qga_client_outlives(client, local);
        if (is_lost)
            lose(client, local);
        if (!is_lost || !g_strv_contains(repeatable, command) ||
            g_get_monotonic_time() >= client->give_up_at) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
    }
}

/* A guest that goes to sleep or down answers by silence, or by hanging up. */
static gboolean
is_silence(const GError *error)
{
    return g_error_matches(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_TIMEOUT) ||
           g_error_matches(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CLOSED);
}

gboolean
qga_client_call(QgaClient *client, const char *command, const QapiType *args_type,
                gconstpointer args, const QapiType *result_type, gpointer ret_place,
                gboolean silent, GError **error)
{
    gsize size;
    g_autofree char *request = qapi_request_text(command, args_type, args, &size);
    g_autoptr(GError) local = NULL;

    g_autofree char *line = ask_persistently(client, command, request, size, &local);
    g_array_set_size(client->hurried, 0);
    if (line && read_reply(client, line, result_type, ret_place, error))
        return TRUE;
    if (!line && silent && is_silence(local))
        return TRUE;
    qga_client_blame(client, command);
    if (line)
        return FALSE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}
