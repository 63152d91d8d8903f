/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and results, over a channel of whatever kind. */
#include "novacronctl/client.h"

#include <string.h>

#include "novacronctl/channel.h"
#include "runtime/qapi-exchange.h"

G_DEFINE_QUARK(qga_client_error, qga_client_error)

struct QgaClient {
    char *address;
    gint64 timeout; /* in microseconds */
    Channel *channel;
    char *last_command;
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
    client->channel = channel_open(client->address, client->timeout, error);
    return client->channel ? g_steal_pointer(&client) : NULL;
}

void
qga_client_free(QgaClient *client)
{
    if (!client)
        return;
    channel_free(client->channel);
    g_free(client->last_command);
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
    if (!client->channel->kind->hurry)
        return FALSE;
    client->channel->kind->hurry(client->channel, fds, n_fds);
    return TRUE;
}

const char *
qga_client_last_command(const QgaClient *client)
{
    return client->last_command;
}

char *
qga_client_ask(QgaClient *client, const char *request, gsize size, GError **error)
{
    return client->channel->kind->ask(client->channel, request, size, client->timeout, error);
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

    g_free(client->last_command);
    client->last_command = g_strdup(command);

    g_autofree char *line = qga_client_ask(client, request, size, &local);
    if (line)
        return read_reply(client, line, result_type, ret_place, error);
    if (silent && is_silence(local))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}
