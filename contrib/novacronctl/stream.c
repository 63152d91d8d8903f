/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel that is a stream of bytes. A reply is a line, and the next line
 * after a request is its reply, once we are in step. Getting there is the
 * difficult part: the channel may hold replies to clients before us, and the
 * agent half a request of theirs.
 */
#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "novacronctl/channel.h"
#include "novacronctl/client.h"
#include "runtime/qapi-parse.h"

#define RECEIVE_SIZE (256u << 10)

/* The agent accepts one client; with the queue behind it full, connecting fails at once. */
#define CONNECT_RETRY_US (20 * 1000)

#define RESET_BYTE "\xff"

/* Costs the agent nothing, also while file systems are frozen, and ends what it waits for. */
#define NUDGE "{\"execute\": \"guest-ping\"}\n"

typedef struct {
    Channel channel;
    GSocket *socket;
    gint64 timeout; /* of what is under way, in microseconds */
    GString *received;
    gsize searched;  /* so many bytes of `received` hold no end of a line */
    GArray *hurried; /* of GPollFD */
    guint nudges;    /* not answered yet */
} Stream;

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

static gboolean
fail_connect(const Stream *stream, const char *reason, const char *hint, GError **error)
{
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CONNECT,
                "cannot connect to the agent at %s: %s\n%s", stream->channel.address, reason, hint);
    return FALSE;
}

static gboolean
connect_unix(Stream *stream, const char *path, gint64 deadline, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GError) local = NULL;

    stream->socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, error);
    if (!stream->socket)
        return FALSE;

    while (!g_socket_connect(stream->socket, address, NULL, &local)) {
        gboolean is_full = g_error_matches(local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
        if (!is_full || g_get_monotonic_time() >= deadline)
            return fail_connect(stream, local->message, connect_hint(local), error);
        g_clear_error(&local);
        g_usleep(CONNECT_RETRY_US);
    }
    return TRUE;
}

/* The kernel gives up after two seconds. */
static gboolean
connect_vsock(Stream *stream, guint32 cid, guint32 port, GError **error)
{
    const struct sockaddr_vm address = {
        .svm_family = AF_VSOCK,
        .svm_cid = cid,
        .svm_port = port,
    };
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fail_connect(stream, g_strerror(errno), "This kernel knows no vsock.", error);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int number = errno;
        close(fd);
        return fail_connect(stream, g_strerror(number),
                            "Does the guest have a vhost-vsock device with this CID, and its agent "
                            "a session vsock-listen on this port?",
                            error);
    }
    stream->socket = g_socket_new_from_fd(fd, error);
    return stream->socket != NULL;
}

static gboolean
fail_timeout(const Stream *stream, GError **error)
{
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_TIMEOUT,
                "no answer from the agent at %s within %g s", stream->channel.address,
                (gdouble)stream->timeout / G_USEC_PER_SEC);
    return FALSE;
}

static gboolean
fail_closed(const Stream *stream, const GError *reason, GError **error)
{
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CLOSED,
                "the connection to the agent at %s was lost: %s", stream->channel.address,
                reason ? reason->message : "the other end has closed it");
    return FALSE;
}

static gboolean
wait_until(Stream *stream, GIOCondition condition, gint64 deadline, GError **error)
{
    gint64 left = deadline - g_get_monotonic_time();
    g_autoptr(GError) local = NULL;

    if (left <= 0)
        return fail_timeout(stream, error);
    if (g_socket_condition_timed_wait(stream->socket, condition, left, NULL, &local))
        return TRUE;
    if (g_error_matches(local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return fail_timeout(stream, error);
    return fail_closed(stream, local, error);
}

static gboolean
send_all(Stream *stream, const char *data, gsize size, gint64 deadline, GError **error)
{
    while (size > 0) {
        g_autoptr(GError) local = NULL;

        if (!wait_until(stream, G_IO_OUT, deadline, error))
            return FALSE;
        gssize sent = g_socket_send(stream->socket, data, size, NULL, &local);
        if (sent < 0 && !g_error_matches(local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
            return fail_closed(stream, local, error);
        data += MAX(sent, 0);
        size -= (gsize)MAX(sent, 0);
    }
    return TRUE;
}

static gboolean
is_hurried(const GArray *fds)
{
    for (guint i = 0; i < fds->len; i++)
        if (g_array_index(fds, GPollFD, i).revents != 0)
            return TRUE;
    return FALSE;
}

/* Wait for the agent, and let it know when something else does not want to wait. */
static gboolean
wait_for_input(Stream *stream, gint64 deadline, GError **error)
{
    gint64 left = deadline - g_get_monotonic_time();

    if (stream->hurried->len > 0 && left > 0) {
        GPollFD ours = { .fd = g_socket_get_fd(stream->socket), .events = G_IO_IN };
        g_array_append_val(stream->hurried, ours);
        g_poll((GPollFD *)(gpointer)stream->hurried->data, stream->hurried->len,
               (gint)(left / 1000 + 1));
        g_array_set_size(stream->hurried, stream->hurried->len - 1);
        if (is_hurried(stream->hurried)) {
            g_array_set_size(stream->hurried, 0);
            stream->nudges++;
            if (!send_all(stream, NUDGE, strlen(NUDGE), deadline, error))
                return FALSE;
        }
    }
    return wait_until(stream, G_IO_IN, deadline, error);
}

/* More bytes, at least one, onto the end of `received`. */
static gboolean
receive_more(Stream *stream, gint64 deadline, GError **error)
{
    gsize length = stream->received->len;
    g_autoptr(GError) local = NULL;

    if (length >= CHANNEL_LINE_MAX) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                    "the agent at %s sent more than %u MiB without the end of a line",
                    stream->channel.address, CHANNEL_LINE_MAX >> 20);
        return FALSE;
    }

    if (!wait_for_input(stream, deadline, error))
        return FALSE;
    g_string_set_size(stream->received, length + RECEIVE_SIZE);
    gssize size = g_socket_receive(stream->socket, stream->received->str + length, RECEIVE_SIZE,
                                   NULL, &local);
    g_string_set_size(stream->received, length + (gsize)MAX(size, 0));
    if (size == 0 || (size < 0 && !g_error_matches(local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)))
        return fail_closed(stream, local, error);
    return TRUE;
}

/* The next line, without its end. */
static char *
receive_line(Stream *stream, gint64 deadline, GError **error)
{
    GString *received = stream->received;
    const char *end;

    while (
        !(end = memchr(received->str + stream->searched, '\n', received->len - stream->searched))) {
        stream->searched = received->len;
        if (!receive_more(stream, deadline, error))
            return NULL;
    }

    gsize length = (gsize)(end - received->str);
    /* What stands before the byte that no reply contains was meant for somebody else. */
    const char *mark = memrchr(received->str, *RESET_BYTE, length);
    const char *start = mark ? mark + 1 : received->str;
    char *line = g_strndup(start, (gsize)(end - start));
    g_string_erase(received, 0, (gssize)length + 1);
    stream->searched = 0;
    return line;
}

/* The object's member `name` if `value` is an object at all. */
static const QapiNode *
envelope_member(const QapiValue *value, const char *name)
{
    const QapiNode *root = qapi_value_root(value);

    return root->kind == QAPI_NODE_OBJECT ? qapi_node_member(value, root, name) : NULL;
}

static gboolean
send_sync(Stream *stream, const char *prefix, gint64 id, gint64 deadline, GError **error)
{
    g_autofree char *request = g_strdup_printf(
        "%s{\"execute\": \"guest-sync\", \"arguments\": {\"id\": %" G_GINT64_FORMAT "}}\n", prefix,
        id);

    return send_all(stream, request, strlen(request), deadline, error);
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
await_sync(Stream *stream, gint64 id, gboolean skip_errors, gint64 deadline, GError **error)
{
    for (;;) {
        g_autofree char *line = receive_line(stream, deadline, error);
        if (!line)
            return FALSE;
        LineKind kind = classify(line, id);
        if (kind == LINE_OURS)
            return TRUE;
        if (kind == LINE_ERROR && !skip_errors)
            return fail_timeout(stream, error);
    }
}

/* Usually the first attempt does it. It fails if the agent still holds part of a request, which
 * swallows ours: with an error, or in silence. Then the byte that makes its parser start anew
 * helps; not at once, because to an agent without such a part it is an error. */
static gboolean
synchronise(Stream *stream, gint64 deadline, GError **error)
{
    gint64 id = (gint64)g_random_int();
    gint64 patience = deadline - stream->timeout / 4 * 3;
    g_autoptr(GError) local = NULL;

    if (!send_sync(stream, "", id, deadline, error))
        return FALSE;
    if (await_sync(stream, id, FALSE, patience, &local))
        return TRUE;
    if (!g_error_matches(local, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_TIMEOUT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return send_sync(stream, RESET_BYTE, id + 1, deadline, error) &&
           await_sync(stream, id + 1, TRUE, deadline, error);
}

static char *
stream_ask(Channel *channel, const char *request, gsize size, gint64 timeout, GError **error)
{
    Stream *stream = (Stream *)channel;
    gint64 deadline = g_get_monotonic_time() + timeout;

    stream->timeout = timeout;
    if (!send_all(stream, request, size, deadline, error) ||
        !send_all(stream, "\n", 1, deadline, error))
        return NULL;

    g_autofree char *line = receive_line(stream, deadline, error);
    g_array_set_size(stream->hurried, 0);
    for (; line && stream->nudges > 0; stream->nudges--) {
        g_autofree char *answer = receive_line(stream, deadline, error);
        if (!answer)
            return NULL;
    }
    return g_steal_pointer(&line);
}

static void
stream_hurry(Channel *channel, const GPollFD *fds, guint n_fds)
{
    Stream *stream = (Stream *)channel;

    g_array_set_size(stream->hurried, 0);
    g_array_append_vals(stream->hurried, fds, n_fds);
}

static void
stream_free(Channel *channel)
{
    Stream *stream = (Stream *)channel;

    g_clear_object(&stream->socket);
    g_string_free(stream->received, TRUE);
    g_array_unref(stream->hurried);
    g_free(stream);
}

static const ChannelKind stream_kind = {
    .ask = stream_ask,
    .hurry = stream_hurry,
    .free = stream_free,
};

static Stream *
stream_new(const char *address, gint64 timeout)
{
    Stream *stream = g_new0(Stream, 1);

    stream->channel.kind = &stream_kind;
    stream->channel.address = address;
    stream->timeout = timeout;
    stream->received = g_string_new(NULL);
    stream->hurried = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    return stream;
}

static gboolean
stream_begin(Stream *stream, gint64 deadline, GError **error)
{
    g_socket_set_blocking(stream->socket, FALSE);
    if (synchronise(stream, deadline, error))
        return TRUE;
    g_prefix_error(error, "connected, but ");
    return FALSE;
}

Channel *
stream_open_unix(const char *address, const char *path, gint64 timeout, GError **error)
{
    Stream *stream = stream_new(address, timeout);
    g_autoptr(Channel) channel = &stream->channel;
    gint64 deadline = g_get_monotonic_time() + timeout;

    return connect_unix(stream, path, deadline, error) && stream_begin(stream, deadline, error)
               ? g_steal_pointer(&channel)
               : NULL;
}

Channel *
stream_open_vsock(const char *address, guint32 cid, guint32 port, gint64 timeout, GError **error)
{
    Stream *stream = stream_new(address, timeout);
    g_autoptr(Channel) channel = &stream->channel;
    gint64 deadline = g_get_monotonic_time() + timeout;

    return connect_vsock(stream, cid, port, error) && stream_begin(stream, deadline, error)
               ? g_steal_pointer(&channel)
               : NULL;
}
