/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outbox: gathering, pieces, budget. */
#include "core/outbox.h"

#include <check.h>
#include <string.h>

#include "memory-channel.h"
#include "runner.h"

typedef struct {
    MemoryChannel channel;
    GaOutbox *outbox;
    gsize budget;
    guint writes;
    const GaChannelClass *real;
    GaChannelClass counting;
} Fixture;

static Fixture fixture;

static gssize
counting_write(GaChannel *channel, const void *data, gsize size)
{
    fixture.writes++;
    return fixture.real->write(channel, data, size);
}

static void
set_up(void)
{
    static const GaChannelEvents none;
    MemoryChannel *newest;
    GaEndpoint endpoint = { .path = (char *)&newest };

    memset(&fixture, 0, sizeof fixture);
    MemoryChannel *channel = (MemoryChannel *)memory_channel_open(&endpoint, &none, NULL, NULL);
    fixture.real = channel->base.class;
    fixture.counting = *fixture.real;
    fixture.counting.write = counting_write;
    fixture.channel = *channel;
    fixture.channel.base.class = &fixture.counting;
    g_free(channel);
    fixture.outbox = ga_outbox_new();
    fixture.budget = G_MAXSIZE;
}

static void
tear_down(void)
{
    g_string_free(fixture.channel.output, TRUE);
    ga_outbox_free(fixture.outbox);
}

static GaOutboxState
flush(void)
{
    return ga_outbox_flush(fixture.outbox, &fixture.channel.base, &fixture.budget);
}

static GaOutboxState
encode(void)
{
    return ga_outbox_encode(fixture.outbox, &fixture.channel.base, &fixture.budget);
}

START_TEST(small_replies_leave_together)
{
    for (guint i = 0; i < 100; i++) {
        qapi_writer_raw(ga_outbox_writer(fixture.outbox), "{\"return\": {}}\n");
        ck_assert_int_eq(encode(), GA_OUTBOX_DONE);
    }
    ck_assert_uint_eq(fixture.writes, 0);
    ck_assert_int_eq(flush(), GA_OUTBOX_DONE);
    ck_assert_uint_eq(fixture.writes, 1);
    ck_assert_uint_eq(fixture.channel.output->len, 1500);
}
END_TEST

static GBytes *
some_bytes(gsize size)
{
    guint8 *data = g_malloc(size);

    for (gsize i = 0; i < size; i++)
        data[i] = (guint8)(i * 7 + (i >> 8));
    return g_bytes_new_take(data, size);
}

START_TEST(a_large_reply_passes_in_pieces_whatever_the_channel_takes)
{
    g_autoptr(GBytes) bytes = some_bytes(1000003);
    g_autofree char *text = g_base64_encode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_autofree char *expected = g_strdup_printf("\"%s\"", text);
    guint rounds = 0;

    qapi_writer_base64(ga_outbox_writer(fixture.outbox), bytes);
    fixture.channel.capacity = 0;
    while (flush() == GA_OUTBOX_BLOCKED)
        fixture.channel.capacity = 1 + rounds++ * 13 % 100000;

    ck_assert_uint_gt(rounds, 10);
    ck_assert(strcmp(fixture.channel.output->str, expected) == 0);
}
END_TEST

START_TEST(one_turn_sends_no_more_than_its_budget_and_a_buffer)
{
    g_autoptr(GBytes) bytes = some_bytes(3000000);

    qapi_writer_base64(ga_outbox_writer(fixture.outbox), bytes);
    fixture.budget = 100000;
    ck_assert_int_eq(flush(), GA_OUTBOX_YIELD);
    ck_assert_uint_ge(fixture.channel.output->len, 100000);
    ck_assert_uint_le(fixture.channel.output->len, 100000 + 128 * 1024);
}
END_TEST

START_TEST(what_is_discarded_never_leaves)
{
    fixture.channel.capacity = 2;
    qapi_writer_raw(ga_outbox_writer(fixture.outbox), "0123456789");
    ck_assert_int_eq(flush(), GA_OUTBOX_BLOCKED);
    ga_outbox_discard(fixture.outbox);

    fixture.channel.capacity = G_MAXSIZE;
    qapi_writer_raw(ga_outbox_writer(fixture.outbox), "new");
    ck_assert_int_eq(flush(), GA_OUTBOX_DONE);
    ck_assert_str_eq(fixture.channel.output->str, "01new");
}
END_TEST

START_TEST(a_peer_that_is_gone_is_told)
{
    fixture.channel.is_broken = TRUE;
    qapi_writer_raw(ga_outbox_writer(fixture.outbox), "x");
    ck_assert_int_eq(flush(), GA_OUTBOX_GONE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("outbox");
    TCase *tcase = tcase_create("outbox");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, small_replies_leave_together);
    tcase_add_test(tcase, a_large_reply_passes_in_pieces_whatever_the_channel_takes);
    tcase_add_test(tcase, one_turn_sends_no_more_than_its_budget_and_a_buffer);
    tcase_add_test(tcase, what_is_discarded_never_leaves);
    tcase_add_test(tcase, a_peer_that_is_gone_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
