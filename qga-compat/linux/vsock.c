/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vsock addresses, and who may use them. */
#include "linux/vsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "runtime/qapi-error.h"

#define BACKLOG 1

/* As strtoul(3) begins: blanks and a plus are fine, a minus is not. */
static gboolean
parse_number(const char *text, guint32 *ret_number)
{
    guint64 number;

    while (g_ascii_isspace(*text))
        text++;
    if (*text == '+')
        text++;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &number, NULL))
        return FALSE;
    *ret_number = (guint32)number;
    return TRUE;
}

/* The port ends at a comma, where upstream's other addresses have options. */
static gboolean
parse_address(const char *path, struct sockaddr_vm *ret_address, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(path, ":", 2);
    const char *cid = parts[0], *port = cid ? parts[1] : NULL;
    struct sockaddr_vm address = { .svm_family = AF_VSOCK };

    if (!port || !*cid || !*port || *port == ',')
        qapi_set_error(error, "error parsing address '%s'", path);
    else if (strchr(port, ','))
        qapi_set_error(error, "trailing characters in address '%s'", path);
    else if (!parse_number(cid, &address.svm_cid))
        qapi_set_error(error, "Failed to parse cid '%s'", cid);
    else if (!parse_number(port, &address.svm_port))
        qapi_set_error(error, "Failed to parse port '%s'", port);
    else {
        *ret_address = address;
        return TRUE;
    }
    return FALSE;
}

gint
os_vsock_listen(const char *path, GError **error)
{
    struct sockaddr_vm address;

    if (!parse_address(path, &address, error))
        return -1;

    gint fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        qapi_set_errno(error, errno, "Failed to create vsock socket");
        return -1;
    }
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, BACKLOG) < 0) {
        qapi_set_errno(error, errno, "Failed to bind socket");
        close(fd);
        return -1;
    }
    return fd;
}

gboolean
os_vsock_admits_host(gint fd)
{
    struct sockaddr_vm peer = { .svm_cid = VMADDR_CID_ANY };
    socklen_t size = sizeof peer;

    return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.svm_cid == VMADDR_CID_HOST;
}
