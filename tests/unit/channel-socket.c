/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket channel, whose owner does nothing but note what it is told. */
#include "posix/channel-socket.h"

#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runner.h"

static GString *journal;
static guint8 inbox[64];
static GaChannel *channel;
static char *folder, *path;

static guint8 *
reserve(G_GNUC_UNUSED gpointer owner, gsize *ret_size)
{
    *ret_size = sizeof inbox;
    return inbox;
}

static void
received(G_GNUC_UNUSED gpointer owner, gsize size)
{
    g_string_append_printf(journal, "%.*s ", (gint)size, (const char *)inbox);
}

static void
writable(G_GNUC_UNUSED gpointer owner)
{
    g_string_append(journal, "writable ");
}

static void
end_of_input(G_GNUC_UNUSED gpointer owner)
{
    g_string_append(journal, "end ");
}

static void
peer_gone(G_GNUC_UNUSED gpointer owner)
{
    g_string_append(journal, "gone ");
}

static void
failed(G_GNUC_UNUSED gpointer owner, G_GNUC_UNUSED const GError *error)
{
    g_string_append(journal, "failed ");
}

static const GaChannelEvents events = {
    .reserve = reserve,
    .received = received,
    .writable = writable,
    .end_of_input = end_of_input,
    .peer_gone = peer_gone,
    .failed = failed,
};

/* What the channel tells until nothing happens any more. */
static void
assert_told(const char *expected)
{
    for (guint i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
        ;
    ck_assert_msg(!g_main_context_pending(NULL), "the channel spins");
    ck_assert_str_eq(journal->str, expected);
    g_string_truncate(journal, 0);
}

static void
setup(void)
{
    folder = g_dir_make_tmp("ga-channel-socket-XXXXXX", NULL);
    path = g_build_filename(folder, "socket", NULL);
    journal = g_string_new(NULL);
    channel = os_socket_channel_new(os_unix_listen(path, FALSE, NULL), NULL, &events, NULL);
}

static void
teardown(void)
{
    channel->class->free(channel);
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    g_string_free(journal, TRUE);
}

static gint
connect_client(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    gint client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    ck_assert_int_eq(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    return client;
}

START_TEST(the_next_client_waits_until_this_one_is_parted_from)
{
    gint first = connect_client(), second = connect_client();

    ck_assert_int_eq(write(second, "b", 1), 1);
    ck_assert_int_eq(write(first, "a", 1), 1);
    close(first);
    assert_told("a end ");
    channel->class->end_peer(channel);
    assert_told("b ");
    close(second);
}
END_TEST

START_TEST(a_client_that_nothing_is_wanted_from_may_vanish_quietly)
{
    gint client = connect_client();

    channel->class->set_reading(channel, FALSE);
    assert_told("");
    close(client);
    assert_told("");
    channel->class->set_reading(channel, TRUE);
    assert_told("end ");
}
END_TEST

START_TEST(an_answer_that_is_never_read_loses_only_its_client)
{
    gint client = connect_client();

    ck_assert_int_eq(write(client, "a", 1), 1);
    assert_told("a ");
    ck_assert_int_eq(channel->class->write(channel, "x", 1), 1);
    close(client);
    assert_told("gone end ");
    channel->class->end_peer(channel);
    client = connect_client();
    ck_assert_int_eq(write(client, "b", 1), 1);
    assert_told("b ");
    close(client);
}
END_TEST

/* One that a service manager passes blocks, and another process may accept its client. */
START_TEST(a_socket_passed_to_us_never_blocks_the_loop)
{
    gint listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    GaChannel *passed = os_socket_channel_new(listening, NULL, &events, NULL);

    ck_assert_int_ne(fcntl(listening, F_GETFL) & O_NONBLOCK, 0);
    passed->class->free(passed);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("channel-socket");
    TCase *tests = tcase_create("channel-socket");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_next_client_waits_until_this_one_is_parted_from);
    tcase_add_test(tests, a_client_that_nothing_is_wanted_from_may_vanish_quietly);
    tcase_add_test(tests, an_answer_that_is_never_read_loses_only_its_client);
    tcase_add_test(tests, a_socket_passed_to_us_never_blocks_the_loop);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
