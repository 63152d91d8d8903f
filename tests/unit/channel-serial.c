/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A serial channel over one end of a socket pair. It behaves as a virtio port does: closed on the
 * other side, it is hung up, gives what it holds and then an end of file, once and for all.
 */
#include "linux/channel-serial.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel-owner.h"
#include "runner.h"

static ChannelOwner owner;
static gint host;

static void
setup(void)
{
    gint ends[2];

    signal(SIGPIPE, SIG_IGN);
    channel_owner_init(&owner);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    host = ends[0];
    owner.channel = os_serial_channel_new(ends[1], &channel_owner_events, &owner, NULL);
    ck_assert_ptr_nonnull(owner.channel);
    assert_told(&owner, "");
}

static void
leave(void)
{
    close(host);
    host = -1;
}

static void
teardown(void)
{
    channel_owner_clear(&owner);
    if (host >= 0)
        leave();
}

static void
send_text(const char *text)
{
    ck_assert_int_eq(write(host, text, strlen(text)), (gssize)strlen(text));
}

START_TEST(what_comes_is_told_and_then_it_sleeps)
{
    send_text("abc");
    assert_told(&owner, "abc ");
    ck_assert_int_eq(owner.channel->class->write(owner.channel, "x", 1), 1);
    assert_told(&owner, "");
}
END_TEST

START_TEST(what_waited_is_read_when_reading_goes_on)
{
    owner.channel->class->set_reading(owner.channel, FALSE);
    send_text("abc");
    assert_told(&owner, "");
    owner.channel->class->set_reading(owner.channel, TRUE);
    assert_told(&owner, "abc ");
}
END_TEST

/* They may as well be the first words of the next host, whose answer must not be lost. */
START_TEST(what_is_left_of_a_host_is_read_as_input_of_the_next)
{
    send_text("abc");
    leave();
    assert_told(&owner, "gone end ");
    owner.channel->class->end_peer(owner.channel);
    assert_told(&owner, "abc ");
}
END_TEST

START_TEST(a_full_device_takes_the_rest_later)
{
    g_autofree char *data = g_malloc0(1 << 20);
    gssize taken = owner.channel->class->write(owner.channel, data, 1 << 20);

    ck_assert_int_gt(taken, 0);
    ck_assert_int_lt(taken, 1 << 20);
    assert_told(&owner, "");
    while (read(host, data, 1 << 20) > 0)
        ;
    assert_told(&owner, "writable ");
}
END_TEST

/* Such as a port whose driver is out of memory: the answer is lost, the host is not. */
START_TEST(a_failed_write_ends_the_input_of_that_host_only)
{
    ck_assert_int_eq(shutdown(host, SHUT_RD), 0);
    ck_assert_int_eq(owner.channel->class->write(owner.channel, "x", 1), -1);
    assert_told(&owner, "gone end ");
    owner.channel->class->end_peer(owner.channel);
    send_text("abc");
    assert_told(&owner, "abc ");
}
END_TEST

START_TEST(a_device_that_cannot_be_watched_is_no_channel)
{
    struct rlimit before, none;
    gint device = open("/dev/null", O_RDWR | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){ 0, before.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    ck_assert_ptr_null(os_serial_channel_new(device, &channel_owner_events, &owner, &error));
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_str_eq(error->message, "error watching channel: Too many open files");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("channel-serial");
    TCase *tests = tcase_create("channel-serial");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_comes_is_told_and_then_it_sleeps);
    tcase_add_test(tests, what_waited_is_read_when_reading_goes_on);
    tcase_add_test(tests, what_is_left_of_a_host_is_read_as_input_of_the_next);
    tcase_add_test(tests, a_full_device_takes_the_rest_later);
    tcase_add_test(tests, a_failed_write_ends_the_input_of_that_host_only);
    tcase_add_test(tests, a_device_that_cannot_be_watched_is_no_channel);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
