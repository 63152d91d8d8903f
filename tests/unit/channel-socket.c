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

#include "channel-owner.h"
#include "runner.h"

static ChannelOwner owner;
static char *folder, *path;

static void
setup(void)
{
    folder = g_dir_make_tmp("ga-channel-socket-XXXXXX", NULL);
    path = g_build_filename(folder, "socket", NULL);
    channel_owner_init(&owner);
    owner.channel = os_socket_channel_new(os_unix_listen(path, FALSE, NULL), NULL,
                                          &channel_owner_events, &owner);
}

static void
teardown(void)
{
    channel_owner_clear(&owner);
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
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
    assert_told(&owner, "a end ");
    owner.channel->class->end_peer(owner.channel);
    assert_told(&owner, "b ");
    close(second);
}
END_TEST

START_TEST(a_client_that_nothing_is_wanted_from_may_vanish_quietly)
{
    gint client = connect_client();

    owner.channel->class->set_reading(owner.channel, FALSE);
    assert_told(&owner, "");
    close(client);
    assert_told(&owner, "");
    owner.channel->class->set_reading(owner.channel, TRUE);
    assert_told(&owner, "end ");
}
END_TEST

START_TEST(an_answer_that_is_never_read_loses_only_its_client)
{
    gint client = connect_client();

    ck_assert_int_eq(write(client, "a", 1), 1);
    assert_told(&owner, "a ");
    ck_assert_int_eq(owner.channel->class->write(owner.channel, "x", 1), 1);
    close(client);
    assert_told(&owner, "gone end ");
    owner.channel->class->end_peer(owner.channel);
    client = connect_client();
    ck_assert_int_eq(write(client, "b", 1), 1);
    assert_told(&owner, "b ");
    close(client);
}
END_TEST

/* One that a service manager passes blocks, and another process may accept its client. */
START_TEST(a_socket_passed_to_us_never_blocks_the_loop)
{
    gint listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    GaChannel *passed = os_socket_channel_new(listening, NULL, &channel_owner_events, &owner);

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
