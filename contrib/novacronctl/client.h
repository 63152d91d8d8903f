/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to one agent; the functions of client/client.h speak through it. */
#pragma once

#include <glib.h>

#include "client/client.h"

/* Nobody answers, or nothing that makes sense. What the agent itself complains about is a
 * QAPI_ERROR instead. */
typedef enum {
    QGA_CLIENT_ERROR_CONNECT,
    QGA_CLIENT_ERROR_TIMEOUT,
    QGA_CLIENT_ERROR_CLOSED,
    QGA_CLIENT_ERROR_PROTOCOL,
} QgaClientError;

#define QGA_CLIENT_ERROR (qga_client_error_quark())
GQuark qga_client_error_quark(void);

/* Connect to `address` (channel.h tells the kinds) and find the start of our replies. No answer
 * may take longer than `timeout` seconds. */
QgaClient *qga_client_new(const char *address, gdouble timeout, GError **error);
void qga_client_free(QgaClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QgaClient, qga_client_free)

/* Send a request as it is (one line, without its end) and return the line that answers it. */
char *qga_client_ask(QgaClient *client, const char *request, gsize size, GError **error);

/* The most data, before it is base64, that goes through every channel in one request: libvirt
 * garbles what a socket does not take at once. */
#define QGA_CLIENT_DATA_MAX (64u << 10)

/* For messages; borrowed. */
const char *qga_client_address(const QgaClient *client);

/* The patience with every answer, in microseconds. */
gint64 qga_client_timeout(const QgaClient *client);

/* The next command waits in the agent; it shall answer at once when one of `fds` can be read.
 * FALSE: the channel cannot do that. */
gboolean qga_client_hurry(QgaClient *client, const GPollFD *fds, guint n_fds);

/* From now on a connection that is lost, or an agent that does not answer, is tried to be reached
 * again, for up to `patience` seconds; requests that the agent may get twice are repeated then, and
 * others fail once. People are told. */
void qga_client_persist(QgaClient *client, gdouble patience);

/* Such attempts end when `stop`, of which a copy is kept, can be read; NULL: nothing ends them. */
void qga_client_stop_at(QgaClient *client, const GPollFD *stop);

/* The client persists, and this is what it does so for. */
gboolean qga_client_outlives(const QgaClient *client, const GError *error);

/* The command that failed last, for messages; NULL: none. Borrowed until the next. */
const char *qga_client_failed_command(const QgaClient *client);

/* It was this one: by a job. */
void qga_client_blame(QgaClient *client, const char *command);
