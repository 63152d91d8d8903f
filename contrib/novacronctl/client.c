/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and results, over a channel of whatever kind. */
#include "novacronctl/client.h"

#include <string.h>

#include "novacronctl/channel.h"
#include "runtime/qapi-error.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

G_DEFINE_QUARK(qga_client_error, qga_client_error)

struct QgaClient {
    char *address;
    gint64 timeout; /* in microseconds */
    Channel *channel;
    char *last_command;
};

static QapiErrorClass
error_class_of(const char *name)
{
    for (gint code = QAPI_ERROR_GENERIC; code <= QAPI_ERROR_KVM_MISSING_CAP; code++) {
        const GError error = { .domain = QAPI_ERROR, .code = code };
        if (g_str_equal(qapi_error_class_name(&error), name))
            return (QapiErrorClass)code;
    }
    return QAPI_ERROR_GENERIC;
}

static gboolean
fail_as_told(const QapiValue *value, const QapiNode *told, GError **error)
{
    const QapiNode *name = qapi_node_member(value, told, "class");
    const QapiNode *text = qapi_node_member(value, told, "desc");
    gboolean has_name = name && name->kind == QAPI_NODE_STRING;
    gboolean has_text = text && text->kind == QAPI_NODE_STRING;

    g_set_error_literal(error, QAPI_ERROR,
                        has_name ? (gint)error_class_of(qapi_node_text(value, name))
                                 : (gint)QAPI_ERROR_GENERIC,
                        has_text ? qapi_node_text(value, text) : "failed without giving a reason");
    return FALSE;
}

/* The object's member `name` if `value` is an object at all. */
static const QapiNode *
envelope_member(const QapiValue *value, const char *name)
{
    const QapiNode *root = qapi_value_root(value);

    return root->kind == QAPI_NODE_OBJECT ? qapi_node_member(value, root, name) : NULL;
}

/* Read a result of `type`; without a type, its value does not matter. */
static gboolean
read_reply(QgaClient *client, const char *line, const QapiType *type, gpointer ret_place,
           GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(QapiValue) value = qapi_parse(line, strlen(line), &local);
    const QapiNode *told = value ? envelope_member(value, "error") : NULL;
    const QapiNode *result = value ? envelope_member(value, "return") : NULL;

    if (told && told->kind == QAPI_NODE_OBJECT)
        return fail_as_told(value, told, error);
    if (result &&
        (!type || qapi_read(type, value, result, QAPI_READ_COPY, "return", ret_place, &local)))
        return TRUE;
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                "the answer of the agent at %s makes no sense: %s", client->address,
                local ? local->message : "it is neither a result nor an error");
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

static char *
write_request(const char *command, const QapiType *args_type, gconstpointer args, gsize *ret_size)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_writer_raw(writer, "{\"execute\": ");
    qapi_writer_string(writer, command);
    if (args) {
        qapi_writer_raw(writer, ", \"arguments\": ");
        qapi_write_struct(writer, args_type, args);
    }
    qapi_writer_raw(writer, "}");
    return qapi_writer_to_text(writer, ret_size);
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
    g_autofree char *request = write_request(command, args_type, args, &size);
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
