/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server is recognised by the file that its process executes: other than the name or the
 * arguments of a process that is nothing it can choose.
 */
#include "extensions/quiesce/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DELETED " (deleted)" /* an upgrade has replaced the file */

static const struct {
    const char *name;
    NovacronQuiesceKind kind;
} programs[] = {
    { "postgres", NOVACRON_QUIESCE_KIND_POSTGRESQL },
    { "mysqld", NOVACRON_QUIESCE_KIND_MYSQL },
    { "mariadbd", NOVACRON_QUIESCE_KIND_MARIADB },
    { "mongod", NOVACRON_QUIESCE_KIND_MONGODB },
    { "redis-server", NOVACRON_QUIESCE_KIND_REDIS },
    /* Debian's redis-server is a link to it: one program with several names */
    { "redis-check-rdb", NOVACRON_QUIESCE_KIND_REDIS },
};

void
server_free(Server *server)
{
    if (!server)
        return;
    g_free(server->program);
    g_free(server);
}

/* NULL: it cannot be read, or is of the kernel. */
static char *
program_of(const char *proc, const char *pid)
{
    g_autofree char *link = g_build_filename(proc, pid, "exe", NULL);
    char *program = g_file_read_link(link, NULL);

    if (program && g_str_has_suffix(program, DELETED))
        program[strlen(program) - strlen(DELETED)] = '\0';
    return program;
}

static gboolean
recognise(const char *program, NovacronQuiesceKind *ret_kind)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;

    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        if (strcmp(name, programs[i].name) != 0)
            continue;
        *ret_kind = programs[i].kind;
        return TRUE;
    }
    return FALSE;
}

/* The fields behind the name, which may have anything in it: the second is the parent, the
 * twentieth the start. */
static gboolean
read_stat(const char *proc, const char *pid, char *ret_parent, gsize size, guint64 *ret_started)
{
    g_autofree char *path = g_build_filename(proc, pid, "stat", NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !strrchr(text, ')'))
        return FALSE;

    g_auto(GStrv) fields = g_strsplit(g_strstrip(strrchr(text, ')') + 1), " ", -1);
    if (g_strv_length(fields) < 20)
        return FALSE;
    g_strlcpy(ret_parent, fields[1], size);
    *ret_started = g_ascii_strtoull(fields[19], NULL, 10);
    return TRUE;
}

/* Containers have a PID namespace of their own. One of mounts says nothing: services that systemd
 * confines have one, which is ours but for some folders. FALSE also if it cannot be seen. */
static gboolean
is_with_us(const char *proc, const char *pid)
{
    g_autofree char *its_path = g_build_filename(proc, pid, "ns", "pid", NULL);
    g_autofree char *our_path = g_build_filename(proc, "self", "ns", "pid", NULL);
    g_autofree char *its = g_file_read_link(its_path, NULL);
    g_autofree char *ours = g_file_read_link(our_path, NULL);

    return its && g_strcmp0(its, ours) == 0;
}

static gboolean
read_uid(const char *proc, const char *pid, guint *ret_uid)
{
    g_autofree char *path = g_build_filename(proc, pid, NULL);
    struct stat status;

    if (stat(path, &status) < 0)
        return FALSE;
    *ret_uid = status.st_uid;
    return TRUE;
}

static Server *
look_at(const char *proc, const char *pid)
{
    g_autofree char *program = program_of(proc, pid);
    NovacronQuiesceKind kind;
    char parent[16];
    guint64 started;
    guint uid;

    if (!program || !recognise(program, &kind) || !read_uid(proc, pid, &uid) ||
        !read_stat(proc, pid, parent, sizeof parent, &started))
        return NULL;

    g_autofree char *of_parent = program_of(proc, parent);
    if (g_strcmp0(of_parent, program) == 0)
        return NULL;

    Server *server = g_new(Server, 1);
    *server = (Server){ .kind = kind,
                        .pid = g_ascii_strtoll(pid, NULL, 10),
                        .started = started,
                        .program = g_steal_pointer(&program),
                        .uid = uid,
                        .is_elsewhere = !is_with_us(proc, pid) };
    return server;
}

GPtrArray *
servers_find(const char *proc, guint most)
{
    g_autoptr(GDir) processes = g_dir_open(proc, 0, NULL);
    const char *name;

    if (!processes)
        return NULL;

    GPtrArray *servers = g_ptr_array_new_with_free_func((GDestroyNotify)server_free);
    while (servers->len < most && (name = g_dir_read_name(processes))) {
        Server *server = g_ascii_isdigit(name[0]) ? look_at(proc, name) : NULL;

        if (server)
            g_ptr_array_add(servers, server);
    }
    return servers;
}
