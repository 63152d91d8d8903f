/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Database servers among processes that are files. */
#include "extensions/quiesce/servers.h"

#include <string.h>
#include <unistd.h>

#include "runner.h"
#include "tree.h"

#define STAT(pid, parent, start)                                                                   \
    pid "/stat=" pid " (a) b) S " parent " 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 " start " 1 " \
        "1"

/* A process of `proc` that executes `program`. */
static void
execute(const char *proc, const char *pid, const char *program)
{
    g_autofree char *link = g_build_filename(proc, pid, "exe", NULL);

    ck_assert_int_eq(symlink(program, link), 0);
}

static void
enter(const char *proc, const char *pid, const char *kind, const char *namespace)
{
    g_autofree char *folder = g_build_filename(proc, pid, "ns", NULL);
    g_autofree char *link = g_build_filename(folder, kind, NULL);

    ck_assert_int_eq(g_mkdir_with_parents(folder, 0755), 0);
    ck_assert_int_eq(symlink(namespace, link), 0);
}

static const Server *
find(const GPtrArray *servers, gint64 pid)
{
    for (guint i = 0; i < servers->len; i++) {
        const Server *server = servers->pdata[i];
        if (server->pid == pid)
            return server;
    }
    return NULL;
}

static char *
proc_new(void)
{
    static const char *const entries[] = {
        STAT("1", "0", "1"),
        STAT("10", "1", "70"),
        STAT("11", "10", "71"),
        STAT("12", "1", "72"),
        STAT("13", "1", "73"),
        STAT("14", "1", "74"),
        "15/stat=broken",
        STAT("16", "1", "76"),
        "version=x",
        NULL,
    };
    char *proc = tree_new(entries);

    execute(proc, "1", "/sbin/init");
    execute(proc, "10", "/usr/lib/postgresql/15/bin/postgres");
    execute(proc, "11", "/usr/lib/postgresql/15/bin/postgres");
    execute(proc, "12", "/usr/sbin/mariadbd (deleted)");
    execute(proc, "13", "/tmp/not-mysqld");
    execute(proc, "14", "/usr/bin/redis-server");
    execute(proc, "15", "/usr/bin/mongod");
    enter(proc, "self", "pid", "pid:[1]");
    enter(proc, "self", "mnt", "mnt:[2]");
    enter(proc, "12", "pid", "pid:[1]");
    enter(proc, "12", "mnt", "mnt:[3]");
    enter(proc, "14", "pid", "pid:[4]");
    enter(proc, "14", "mnt", "mnt:[2]");
    return proc;
}

START_TEST(servers_are_known_by_what_they_execute)
{
    g_autofree char *proc = proc_new();
    g_autoptr(GPtrArray) servers = servers_find(proc, 64);

    ck_assert_uint_eq(servers->len, 3);
    const Server *postgresql = find(servers, 10), *mariadb = find(servers, 12);
    ck_assert_ptr_nonnull(postgresql);
    ck_assert_int_eq(postgresql->kind, NOVACRON_QUIESCE_KIND_POSTGRESQL);
    ck_assert_uint_eq(postgresql->started, 70);
    ck_assert_str_eq(postgresql->program, "/usr/lib/postgresql/15/bin/postgres");
    ck_assert_ptr_nonnull(mariadb);
    ck_assert_int_eq(mariadb->kind, NOVACRON_QUIESCE_KIND_MARIADB);
    ck_assert_str_eq(mariadb->program, "/usr/sbin/mariadbd");
    ck_assert_ptr_nonnull(find(servers, 14));
    tree_free(g_steal_pointer(&proc));
}
END_TEST

START_TEST(no_more_are_told_than_asked_for)
{
    g_autofree char *proc = proc_new();
    g_autoptr(GPtrArray) servers = servers_find(proc, 2);

    ck_assert_uint_eq(servers->len, 2);
    tree_free(g_steal_pointer(&proc));
    ck_assert_ptr_null(servers_find("/no/such", 2));
}
END_TEST

START_TEST(a_service_with_its_own_view_of_files_is_in_no_container)
{
    g_autofree char *proc = proc_new();
    g_autoptr(GPtrArray) servers = servers_find(proc, 64);

    ck_assert(!find(servers, 12)->is_elsewhere);
    ck_assert(find(servers, 14)->is_elsewhere);
    ck_assert(find(servers, 10)->is_elsewhere);
    tree_free(g_steal_pointer(&proc));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("servers");
    TCase *tcase = tcase_create("servers");

    tcase_add_test(tcase, servers_are_known_by_what_they_execute);
    tcase_add_test(tcase, no_more_are_told_than_asked_for);
    tcase_add_test(tcase, a_service_with_its_own_view_of_files_is_in_no_container);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
