/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of libvirt as novacronctl uses, with the texts of the real one: the
 * domain web1 is the agent whose socket is $LIBVIRT_STANDIN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_SIZE (8 << 20)

static char message[4096] = "no error";

void
virSetErrorFunc(void *data, void (*handler)(void *, void *))
{
    (void)data;
    (void)handler;
}

const char *
virGetLastErrorMessage(void)
{
    return message;
}

void *
virConnectOpen(const char *name)
{
    return name ? NULL : message;
}

int
virConnectClose(void *connection)
{
    (void)connection;
    return 0;
}

void *
virDomainLookupByName(void *connection, const char *name)
{
    (void)connection;
    snprintf(message, sizeof message, "Domain not found: no domain '%s'", name);
    return strcmp(name, "web1") == 0 ? message : NULL;
}

int
virDomainFree(void *domain)
{
    (void)domain;
    return 0;
}

static char *
exchange(const char *command)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char *line = calloc(1, LINE_MAX_SIZE);
    size_t size = 0;
    ssize_t got;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strncpy(address.sun_path, getenv("LIBVIRT_STANDIN"), sizeof address.sun_path - 1);
    snprintf(message, sizeof message,
             "Guest agent is not responding: QEMU guest agent is not connected");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, command, strlen(command), MSG_NOSIGNAL) > 0 &&
        send(fd, "\n", 1, MSG_NOSIGNAL) > 0)
        while (!strchr(line, '\n') && (got = read(fd, line + size, LINE_MAX_SIZE - 1 - size)) > 0)
            size += (size_t)got;
    close(fd);
    if (strchr(line, '\n'))
        return line;
    free(line);
    return NULL;
}

char *
virDomainQemuAgentCommand(void *domain, const char *command, int timeout, unsigned int flags)
{
    char *line = exchange(command);
    char *desc = line ? strstr(line, "\"desc\": \"") : NULL;

    (void)domain;
    (void)timeout;
    (void)flags;
    if (!desc)
        return line;
    desc += strlen("\"desc\": \"");
    snprintf(message, sizeof message,
             "internal error: unable to execute QEMU agent command 'guest-x': %.*s",
             (int)strcspn(desc, "\""), desc);
    free(line);
    return NULL;
}
