/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Through libvirt, which holds the channel of a domain's agent itself. The
 * library is loaded only when it is asked for: who does not use it need not
 * have it. The few functions below have been the same in every libvirt since 1.0.
 *
 * libvirt passes the text of an agent's error on, but not its class; the one
 * class that we tell from others is known by the agent's fixed texts.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "novacronctl/channel.h"
#include "novacronctl/client.h"
#include "runtime/qapi-write.h"

#define LIBRARY "libvirt.so.0"
#define LIBRARY_QEMU "libvirt-qemu.so.0"

typedef struct {
    gpointer (*connect_open)(const char *name);
    int (*connect_close)(gpointer connection);
    gpointer (*domain_lookup)(gpointer connection, const char *name);
    int (*domain_free)(gpointer domain);
    char *(*agent_command)(gpointer domain, const char *command, int timeout, unsigned int flags);
    const char *(*last_message)(void);
    void (*set_error_func)(gpointer data, void (*handler)(gpointer data, gpointer error));
} Library;

typedef struct {
    Channel channel;
    Library library;
    gpointer connection;
    gpointer domain;
} Libvirt;

/* libvirt writes a request to the channel's socket, and where that does not take all of it at once
 * it forgets how much it took and begins anew. An empty one takes twice as much as this. */
#define REQUEST_MAX (100u << 10)

/* How libvirt begins what an agent has answered, up to the agent's own text. */
#define TOLD "unable to execute QEMU agent command '"

static gboolean
load(Library *library, GError **error)
{
    const struct {
        const char *file;
        const char *name;
        gpointer place;
    } symbols[] = {
        { LIBRARY, "virConnectOpen", &library->connect_open },
        { LIBRARY, "virConnectClose", &library->connect_close },
        { LIBRARY, "virDomainLookupByName", &library->domain_lookup },
        { LIBRARY, "virDomainFree", &library->domain_free },
        { LIBRARY, "virGetLastErrorMessage", &library->last_message },
        { LIBRARY, "virSetErrorFunc", &library->set_error_func },
        { LIBRARY_QEMU, "virDomainQemuAgentCommand", &library->agent_command },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(symbols); i++) {
        gpointer handle = dlopen(symbols[i].file, RTLD_NOW); /* for good: it keeps threads */
        gpointer symbol = handle ? dlsym(handle, symbols[i].name) : NULL;
        if (!symbol) {
            g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CONNECT,
                        "libvirt's client library cannot be used: %s\n"
                        "Install it (libvirt0, libvirt-libs), or name the agent's socket.",
                        dlerror());
            return FALSE;
        }
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    return TRUE;
}

/* Otherwise libvirt prints its errors itself. */
static void
be_quiet(gpointer data, gpointer error)
{
    (void)data;
    (void)error;
}

static const struct {
    const char *part;
    const char *hint;
} hints[] = {
    { "not connected", "The agent does not run in the guest, or the guest is still starting." },
    { "agent is not configured", "The domain has no channel org.qemu.guest_agent.0." },
    { "not running", "Start it: virsh start." },
    { "not found", "virsh list --all tells the names; LIBVIRT_DEFAULT_URI the connection." },
    { "connect socket", "Does libvirtd (or virtqemud) run here, and may you use it?" },
};

static void
set_error(const Libvirt *libvirt, const char *what, GError **error)
{
    const char *message = libvirt->library.last_message();
    const char *hint = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(hints) && !hint; i++)
        if (strstr(message, hints[i].part))
            hint = hints[i].hint;
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CONNECT, "%s: %s%s%s", what, message,
                hint ? "\n" : "", hint ? hint : "");
}

/* The reply that the agent must have given. */
static char *
reply_of_error(const char *told)
{
    const char *text = strstr(told, "': ");
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    text = text ? text + strlen("': ") : told;
    gboolean is_refused = strstr(text, "has not been found") || strstr(text, "has been disabled");
    qapi_writer_raw(writer, "{\"error\": {\"class\": ");
    qapi_writer_string(writer, is_refused ? "CommandNotFound" : "GenericError");
    qapi_writer_raw(writer, ", \"desc\": ");
    qapi_writer_string(writer, text);
    qapi_writer_raw(writer, "}}");
    return qapi_writer_to_text(writer, NULL);
}

static char *
libvirt_ask(Channel *channel, const char *request, gsize size, gint64 timeout, GError **error)
{
    Libvirt *libvirt = (Libvirt *)channel;
    gint64 seconds = (timeout + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;

    if (size > REQUEST_MAX) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                    "libvirt cannot pass a request of %" G_GSIZE_FORMAT " bytes on, at most %u",
                    size, REQUEST_MAX);
        return NULL;
    }
    char *answer = libvirt->library.agent_command(libvirt->domain, request, (int)seconds, 0);
    if (answer) {
        char *line = g_strdup(answer);
        free(answer);
        return line;
    }
    const char *told = strstr(libvirt->library.last_message(), TOLD);
    if (told)
        return reply_of_error(told + strlen(TOLD));
    g_autofree char *what = g_strdup_printf("no answer through %s", channel->address);
    set_error(libvirt, what, error);
    return NULL;
}

static void
libvirt_free(Channel *channel)
{
    Libvirt *libvirt = (Libvirt *)channel;

    if (libvirt->domain)
        libvirt->library.domain_free(libvirt->domain);
    if (libvirt->connection)
        libvirt->library.connect_close(libvirt->connection);
    g_free(libvirt);
}

static const ChannelKind libvirt_kind = { .ask = libvirt_ask, .free = libvirt_free };

Channel *
libvirt_open(const char *address, const char *domain, GError **error)
{
    Libvirt *libvirt = g_new0(Libvirt, 1);
    g_autoptr(Channel) channel = &libvirt->channel;

    channel->kind = &libvirt_kind;
    channel->address = address;
    if (!load(&libvirt->library, error))
        return NULL;
    libvirt->library.set_error_func(NULL, be_quiet);
    libvirt->connection = libvirt->library.connect_open(NULL);
    if (!libvirt->connection) {
        set_error(libvirt, "cannot connect to libvirt", error);
        return NULL;
    }
    libvirt->domain = libvirt->library.domain_lookup(libvirt->connection, domain);
    if (!libvirt->domain) {
        set_error(libvirt, "cannot use the domain", error);
        return NULL;
    }
    return g_steal_pointer(&channel);
}
