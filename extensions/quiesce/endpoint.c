/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process has sockets among its descriptors, and the kernel's tables say of each whether
 * somebody listens there: what a server's configuration says may be anywhere, and not be true.
 */
#include "extensions/quiesce/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTENS_UNIX 0x10000 /* a flag in the kernel's table */
#define LISTENS_TCP 0x0A     /* a state */

/* Beyond these a server's clients are what fills its table. */
#define SOCKETS_MAX 65536

typedef struct {
    GHashTable *inodes; /* of the process' sockets, as text */
    NovacronQuiesceKind kind;
    Endpoint endpoint;
} Search;

void
endpoint_clear(Endpoint *endpoint)
{
    g_clear_pointer(&endpoint->address, g_free);
}

static GHashTable *
sockets_of(const char *process)
{
    static const char prefix[] = "socket:[";
    g_autofree char *folder = g_build_filename(process, "fd", NULL);
    g_autoptr(GDir) descriptors = g_dir_open(folder, 0, NULL);
    GHashTable *inodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *name;

    while (descriptors && g_hash_table_size(inodes) < SOCKETS_MAX &&
           (name = g_dir_read_name(descriptors))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *target = g_file_read_link(path, NULL);

        if (target && g_str_has_prefix(target, prefix)) {
            const char *inode = target + strlen(prefix);
            g_hash_table_add(inodes, g_strndup(inode, strcspn(inode, "]")));
        }
    }
    return inodes;
}

/* Where more than one kind of socket is listened at, the one for clients. */
static gboolean
is_for_clients(NovacronQuiesceKind kind, const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    if (kind == NOVACRON_QUIESCE_KIND_POSTGRESQL)
        return g_str_has_prefix(name, ".s.PGSQL.");
    if (kind == NOVACRON_QUIESCE_KIND_MYSQL || kind == NOVACRON_QUIESCE_KIND_MARIADB)
        return strstr(name, "mysqlx") == NULL; /* another protocol */
    return TRUE;
}

/* NUM: REFCOUNT PROTOCOL FLAGS TYPE STATE INODE PATH; a name that is not in the file system begins
 * with an at sign. */
static gboolean
look_at_unix(Search *search, char *line)
{
    guint flags;
    char inode[24], path[109];

    if (sscanf(line, "%*s %*s %*s %x %*s %*s %23s %108[^\n]", &flags, inode, path) != 3 ||
        !(flags & LISTENS_UNIX) || path[0] != '/' ||
        !g_hash_table_contains(search->inodes, inode) || !is_for_clients(search->kind, path))
        return FALSE;
    search->endpoint = (Endpoint){ g_strdup(path), 0 };
    return TRUE;
}

/* As the kernel writes them: words of the machine's own order. */
static gboolean
read_address(const char *hex, struct in6_addr *ret_address, gsize size)
{
    for (gsize i = 0; i < size / 4; i++) {
        gchar word[9] = { 0 };

        memcpy(word, hex + 8 * i, 8);
        guint32 value = (guint32)strtoul(word, NULL, 16);
        memcpy((guint8 *)ret_address + 4 * i, &value, 4);
    }
    return strlen(hex) == 2 * size;
}

/* Who listens at all addresses listens at ours. */
static char *
describe_address(const char *hex)
{
    static const struct in6_addr any = IN6ADDR_ANY_INIT;
    gboolean is_short = strlen(hex) == 8;
    gsize size = is_short ? 4 : sizeof(struct in6_addr);
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if ((!is_short && strlen(hex) != 32) || !read_address(hex, &address, size))
        return NULL;
    if (memcmp(&address, &any, size) == 0)
        return g_strdup(is_short ? "127.0.0.1" : "::1");
    return g_strdup(inet_ntop(is_short ? AF_INET : AF_INET6, &address, text, sizeof text));
}

/* NUM: LOCAL:PORT REMOTE:PORT STATE QUEUES TIMER RETRANSMITS UID TIMEOUT INODE */
static gboolean
look_at_tcp(Search *search, char *line)
{
    char hex[33], inode[24];
    guint port, state;

    if (sscanf(line, "%*s %32[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %23s", hex, &port, &state,
               inode) != 4 ||
        state != LISTENS_TCP || !g_hash_table_contains(search->inodes, inode))
        return FALSE;
    search->endpoint = (Endpoint){ describe_address(hex), (guint16)port };
    return search->endpoint.address != NULL;
}

static gboolean
search_table(Search *search, const char *process, const char *table,
             gboolean (*look)(Search *search, char *line))
{
    g_autofree char *path = g_build_filename(process, "net", table, NULL);
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    gboolean is_found = FALSE;

    while (file && !is_found && getline(&line, &size, file) > 0)
        is_found = look(search, line);
    free(line);
    if (file)
        fclose(file);
    return is_found;
}

/* The others know their clients by the socket. */
static gboolean
is_asked_at_addresses(NovacronQuiesceKind kind)
{
    return kind == NOVACRON_QUIESCE_KIND_MONGODB || kind == NOVACRON_QUIESCE_KIND_REDIS;
}

gboolean
endpoint_find(const char *proc, gint64 pid, NovacronQuiesceKind kind, Endpoint *ret_endpoint)
{
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, pid);
    g_autofree char *process = g_build_filename(proc, number, NULL);
    g_autoptr(GHashTable) inodes = sockets_of(process);
    Search search = { inodes, kind, { NULL, 0 } };
    gboolean is_found = search_table(&search, process, "unix", look_at_unix);

    if (!is_found && is_asked_at_addresses(kind))
        is_found = search_table(&search, process, "tcp", look_at_tcp) ||
                   search_table(&search, process, "tcp6", look_at_tcp);
    *ret_endpoint = search.endpoint;
    return is_found;
}
