/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection. A reply is a line, and the next line after a request is its
 * reply, once we are in step. Getting there is the difficult part: the channel
 * may hold replies to clients before us, and the agent half a request of theirs.
 */
#include "novacronctl/client.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/un.h>

#include "runtime/qapi-error.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

/* The largest honest reply is guest-exec-status with twice 16 MiB in base64, 43 MiB. */
#define REPLY_MAX (64u << 20)
#define RECEIVE_SIZE (256u << 10)

/* The agent accepts one client; with the queue behind it full, connecting fails at once. */
#define CONNECT_RETRY_US (20 * 1000)

#define RESET_BYTE "\xff"

G_DEFINE_QUARK(qga_client_error, qga_client_error)

struct QgaClient {
    char *address;
    GSocket *socket;
    gint64 timeout; /* in microseconds */
    GString *received;
    gsize searched; /* so many bytes of `received` hold no end of a line */
    char *last_command;
};

static const struct {
    GIOErrorEnum code;
    const char *hint;
} connect_hints[] = {
    { G_IO_ERROR_NOT_FOUND, "Is the guest running, and is this the socket of its agent channel?" },
    { G_IO_ERROR_CONNECTION_REFUSED, "Nobody listens there: the guest or the agent has ended." },
    { G_IO_ERROR_PERMISSION_DENIED, "Try as root, or as a member of the socket's group." },
    { G_IO_ERROR_WOULD_BLOCK, "Other clients are connected and more of them wait already." },
};

static const char *
connect_hint(const GError *error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(connect_hints); i++)
        if (g_error_matches(error, G_IO_ERROR, (gint)connect_hints[i].code))
            return connect_hints[i].hint;
    return "Is this the socket of an agent channel?";
}

static GSocketAddress *
parse_address(const char *text, GError **error)
{
    gboolean has_scheme = g_str_has_prefix(text, "unix:");
    const char *path = has_scheme ? text + strlen("unix:") : text;

    if (*path == '\0' || (!has_scheme && !strchr(path, '/'))) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "'%s' names no agent; expected unix:PATH or a path with a slash", text);
        return NULL;
    }
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "'%s' is too long for a unix socket", path);
        return NULL;
    }
    return g_unix_socket_address_new(path);
}

static gboolean
connect_socket(QgaClient *client, GSocketAddress *address, gint64 deadline, GError **error)
{
    g_autoptr(GError) local = NULL;

    client->socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, error);
    if (!client->socket)
        return FALSE;

    while (!g_socket_connect(client->socket, address, NULL, &local)) {
        gboolean is_full = g_error_matches(local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
        if (!is_full || g_get_monotonic_time() >= deadline) {
            g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CONNECT,
                        "cannot connect to the agent at %s: %s\n%s", client->address,
                        local->message, connect_hint(local));
            return FALSE;
        }
        g_clear_error(&local);
        g_usleep(CONNECT_RETRY_US);
    }
    g_socket_set_blocking(client->socket, FALSE);
    return TRUE;
}

static gboolean
fail_timeout(const QgaClient *client, GError **error)
{
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_TIMEOUT,
                "no answer from the agent at %s within %g s", client->address,
                (gdouble)client->timeout / G_USEC_PER_SEC);
    return FALSE;
}

static gboolean
fail_closed(const QgaClient *client, const GError *reason, GError **error)
{
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CLOSED,
                "the connection to the agent at %s was lost: %s", client->address,
                reason ? reason->message : "the other end has closed it");
    return FALSE;
}

static gboolean
wait_until(QgaClient *client, GIOCondition condition, gint64 deadline, GError **error)
{
    gint64 left = deadline - g_get_monotonic_time();
    g_autoptr(GError) local = NULL;

    if (left <= 0)
        return fail_timeout(client, error);
    if (g_socket_condition_timed_wait(client->socket, condition, left, NULL, &local))
        return TRUE;
    if (g_error_matches(local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return fail_timeout(client, error);
    return fail_closed(client, local, error);
}

static gboolean
send_all(QgaClient *client, const char *data, gsize size, gint64 deadline, GError **error)
{
    while (size > 0) {
        g_autoptr(GError) local = NULL;

        if (!wait_until(client, G_IO_OUT, deadline, error))
            return FALSE;
        gssize sent = g_socket_send(client->socket, data, size, NULL, &local);
        if (sent < 0 && !g_error_matches(local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
            return fail_closed(client, local, error);
        data += MAX(sent, 0);
        size -= (gsize)MAX(sent, 0);
    }
    return TRUE;
}

/* More bytes, at least one, onto the end of `received`. */
static gboolean
receive_more(QgaClient *client, gint64 deadline, GError **error)
{
    gsize length = client->received->len;
    g_autoptr(GError) local = NULL;

    if (length >= REPLY_MAX) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                    "the agent at %s sent more than %u MiB without the end of a line",
                    client->address, REPLY_MAX >> 20);
        return FALSE;
    }

    if (!wait_until(client, G_IO_IN, deadline, error))
        return FALSE;
    g_string_set_size(client->received, length + RECEIVE_SIZE);
    gssize size = g_socket_receive(client->socket, client->received->str + length, RECEIVE_SIZE,
                                   NULL, &local);
    g_string_set_size(client->received, length + (gsize)MAX(size, 0));
    if (size == 0 || (size < 0 && !g_error_matches(local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)))
        return fail_closed(client, local, error);
    return TRUE;
}

/* The next line, without its end. */
static char *
receive_line(QgaClient *client, gint64 deadline, GError **error)
{
    GString *received = client->received;
    const char *end;

    while (
        !(end = memchr(received->str + client->searched, '\n', received->len - client->searched))) {
        client->searched = received->len;
        if (!receive_more(client, deadline, error))
            return NULL;
    }

    gsize length = (gsize)(end - received->str);
    /* What stands before the byte that no reply contains was meant for somebody else. */
    const char *mark = memrchr(received->str, *RESET_BYTE, length);
    const char *start = mark ? mark + 1 : received->str;
    char *line = g_strndup(start, (gsize)(end - start));
    g_string_erase(received, 0, (gssize)length + 1);
    client->searched = 0;
    return line;
}

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

static gboolean
send_sync(QgaClient *client, const char *prefix, gint64 id, gint64 deadline, GError **error)
{
    g_autofree char *request = g_strdup_printf(
        "%s{\"execute\": \"guest-sync\", \"arguments\": {\"id\": %" G_GINT64_FORMAT "}}\n", prefix,
        id);

    return send_all(client, request, strlen(request), deadline, error);
}

typedef enum { LINE_STALE, LINE_ERROR, LINE_OURS } LineKind;

static LineKind
classify(const char *line, gint64 id)
{
    g_autoptr(QapiValue) value = qapi_parse(line, strlen(line), NULL);
    const QapiNode *result = value ? envelope_member(value, "return") : NULL;

    if (result && result->kind == QAPI_NODE_INT64 && result->int64 == id)
        return LINE_OURS;
    return value && envelope_member(value, "error") ? LINE_ERROR : LINE_STALE;
}

static gboolean
await_sync(QgaClient *client, gint64 id, gboolean skip_errors, gint64 deadline, GError **error)
{
    for (;;) {
        g_autofree char *line = receive_line(client, deadline, error);
        if (!line)
            return FALSE;
        LineKind kind = classify(line, id);
        if (kind == LINE_OURS)
            return TRUE;
        if (kind == LINE_ERROR && !skip_errors)
            return fail_timeout(client, error);
    }
}

/* Usually the first attempt does it. It fails if the agent still holds part of a request, which
 * swallows ours: with an error, or in silence. Then the byte that makes its parser start anew
 * helps; not at once, because to an agent without such a part it is an error. */
static gboolean
synchronise(QgaClient *client, gint64 deadline, GError **error)
{
    gint64 id = (gint64)g_random_int();
    gint64 patience = deadline - client->timeout / 4 * 3;
    g_autoptr(GError) local = NULL;

    if (!send_sync(client, "", id, deadline, error))
        return FALSE;
    if (await_sync(client, id, FALSE, patience, &local))
        return TRUE;
    if (!g_error_matches(local, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_TIMEOUT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return send_sync(client, RESET_BYTE, id + 1, deadline, error) &&
           await_sync(client, id + 1, TRUE, deadline, error);
}

QgaClient *
qga_client_new(const char *address, gdouble timeout, GError **error)
{
    g_autoptr(GSocketAddress) target = parse_address(address, error);
    if (!target)
        return NULL;

    g_autoptr(QgaClient) client = g_new0(QgaClient, 1);
    client->address = g_strdup(address);
    client->timeout = (gint64)(timeout * G_USEC_PER_SEC);
    client->received = g_string_new(NULL);

    gint64 deadline = g_get_monotonic_time() + client->timeout;
    if (!connect_socket(client, target, deadline, error))
        return NULL;
    if (!synchronise(client, deadline, error)) {
        g_prefix_error(error, "connected, but ");
        return NULL;
    }
    return g_steal_pointer(&client);
}

void
qga_client_free(QgaClient *client)
{
    if (!client)
        return;
    g_clear_object(&client->socket);
    if (client->received)
        g_string_free(client->received, TRUE);
    g_free(client->last_command);
    g_free(client->address);
    g_free(client);
}

const char *
qga_client_last_command(const QgaClient *client)
{
    return client->last_command;
}

char *
qga_client_ask(QgaClient *client, const char *request, gsize size, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + client->timeout;

    if (!send_all(client, request, size, deadline, error) ||
        !send_all(client, "\n", 1, deadline, error))
        return NULL;
    return receive_line(client, deadline, error);
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
