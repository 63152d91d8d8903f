/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where servers listen, by tables that are files. */
#include "extensions/quiesce/endpoint.h"

#include <unistd.h>

#include "runner.h"
#include "tree.h"

#define UNIX_HEAD "Num       RefCount Protocol Flags    Type St Inode Path\n"
#define TCP_HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"

static const char unix_table[] = UNIX_HEAD
    "0000000000000000: 00000002 00000000 00010000 0001 01 100 /run/other.sock\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 101 /run/connected.sock\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 102 @/abstract\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 103 /run/mysqld/mysqlx.sock\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 104 /run/my sql/the.sock\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 105 /run/pg/.s.PGSQL.5433\n"
    "broken\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 106\n";

static const char tcp_table[] = TCP_HEAD
    "   0: 0100007F:1F90 0200007F:D431 01 0:0 00:0 0 0 0 110 1 0 100 0 0 10 0\n"
    "   1: 00000000:18EB 00000000:0000 0A 0:0 00:0 0 0 0 111 1 0 100 0 0 10 0\n"
    "   2: 0501A8C0:18EC 00000000:0000 0A 0:0 00:0 0 0 0 112 1 0 100 0 0 10 0\n"
    "   3: XYZ\n";

static const char tcp6_table[] = TCP_HEAD
    "   0: 00000000000000000000000001000000:18ED 00000000000000000000000000000000:0000 0A 0:0 00:0 "
    "0 0 0 113 1 0 100 0 0 10 0\n"
    "   1: 00000000000000000000000000000000:18EE 00000000000000000000000000000000:0000 0A 0:0 00:0 "
    "0 0 0 114 1 0 100 0 0 10 0\n";

/* Of a process that has this socket among others, and files. */
static char *
proc_new(const char *const *sockets)
{
    g_autofree char *unix_file = g_strconcat("7/net/unix=", unix_table, NULL);
    g_autofree char *tcp_file = g_strconcat("7/net/tcp=", tcp_table, NULL);
    g_autofree char *tcp6_file = g_strconcat("7/net/tcp6=", tcp6_table, NULL);
    const char *const entries[] = { "7/fd", unix_file, tcp_file, tcp6_file, NULL };
    char *proc = tree_new(entries);

    for (guint i = 0; sockets[i]; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);
        g_autofree char *link = g_build_filename(proc, "7", "fd", name, NULL);
        ck_assert_int_eq(symlink(sockets[i], link), 0);
    }
    return proc;
}

/* `address` NULL: there is nothing. */
static void
assert_found(const char *const *sockets, NovacronQuiesceKind kind, const char *address,
             guint16 port)
{
    char *proc = proc_new(sockets);
    Endpoint endpoint;

    ck_assert_int_eq(endpoint_find(proc, 7, kind, &endpoint), address != NULL);
    if (address) {
        ck_assert_str_eq(endpoint.address, address);
        ck_assert_uint_eq(endpoint.port, port);
    }
    endpoint_clear(&endpoint);
    tree_free(proc);
}

START_TEST(a_socket_is_found_by_its_number)
{
    static const char *const sockets[] = { "/dev/null", "socket:[101]", "socket:[104]", NULL };

    assert_found(sockets, NOVACRON_QUIESCE_KIND_MARIADB, "/run/my sql/the.sock", 0);
    assert_found(sockets, NOVACRON_QUIESCE_KIND_POSTGRESQL, NULL, 0);
}
END_TEST

START_TEST(one_of_several_is_for_clients)
{
    static const char *const both[] = { "socket:[103]", "socket:[104]", NULL };
    static const char *const other[] = { "socket:[103]", NULL };
    static const char *const postgresql[] = { "socket:[100]", "socket:[105]", NULL };

    assert_found(both, NOVACRON_QUIESCE_KIND_MYSQL, "/run/my sql/the.sock", 0);
    assert_found(other, NOVACRON_QUIESCE_KIND_MYSQL, NULL, 0);
    assert_found(postgresql, NOVACRON_QUIESCE_KIND_POSTGRESQL, "/run/pg/.s.PGSQL.5433", 0);
}
END_TEST

START_TEST(who_listens_at_no_path_is_asked_at_an_address_if_that_is_enough)
{
    static const struct {
        const char *const sockets[3];
        const char *address;
        guint16 port;
    } cases[] = {
        { { "socket:[111]" }, "127.0.0.1", 6379 },
        { { "socket:[112]" }, "192.168.1.5", 6380 },
        { { "socket:[113]" }, "::1", 6381 },
        { { "socket:[114]" }, "::1", 6382 },
        { { "socket:[111]", "socket:[100]" }, "/run/other.sock", 0 },
        { { "socket:[110]" }, NULL, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_found(cases[i].sockets, NOVACRON_QUIESCE_KIND_REDIS, cases[i].address,
                     cases[i].port);
    assert_found(cases[0].sockets, NOVACRON_QUIESCE_KIND_MONGODB, cases[0].address, cases[0].port);
    assert_found(cases[0].sockets, NOVACRON_QUIESCE_KIND_MARIADB, NULL, 0);
}
END_TEST

START_TEST(what_listens_without_a_name_is_nothing)
{
    static const char *const sockets[] = { "socket:[102]", "socket:[106]",           "socket:[107]",
                                           "socket:[]",    "anon_inode:[eventpoll]", NULL };
    static const char *const none[] = { NULL };

    assert_found(sockets, NOVACRON_QUIESCE_KIND_REDIS, NULL, 0);
    assert_found(none, NOVACRON_QUIESCE_KIND_REDIS, NULL, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("endpoint");
    TCase *tcase = tcase_create("endpoint");

    tcase_add_test(tcase, a_socket_is_found_by_its_number);
    tcase_add_test(tcase, one_of_several_is_for_clients);
    tcase_add_test(tcase, who_listens_at_no_path_is_asked_at_an_address_if_that_is_enough);
    tcase_add_test(tcase, what_listens_without_a_name_is_nothing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
