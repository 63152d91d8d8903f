/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock, which is none, and the time zone, from TZ or from a zone file of ours. */
#include "platform/time.h"

#include <glib/gstdio.h>
#include <time.h>

#include "fake-process.h"
#include "gen/guest-agent-commands.h"
#include "runner.h"
#include "runtime/qapi-error.h"
#include "table-agent.h"

#define ERROR(text) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}\n"

static const char *zone_file;

const char *
os_local_time_zone(void)
{
    return zone_file;
}

/* What the clock was set to: "" or "SECONDS MICROSECONDS" */
static char clock_text[64];

gboolean
os_clock_set(gint64 seconds, gint32 microseconds, GError **error)
{
    if (microseconds < 0) {
        qapi_set_error(error, "refused");
        return FALSE;
    }
    g_snprintf(clock_text, sizeof clock_text, "%" G_GINT64_FORMAT " %d", seconds, microseconds);
    return TRUE;
}

char *const *
os_clock_command(OsClockAction action)
{
    static char *const commands[][2] = {
        [OS_CLOCK_SAVE] = { "save" }, [OS_CLOCK_RESTORE] = { "restore" }
    };

    return commands[action];
}

/* For libc's calendar, which looks at TZ when it is told to. */
static void
set_zone(const char *tz)
{
    g_setenv("TZ", tz, TRUE);
    tzset();
}

static gint
succeeds(G_GNUC_UNUSED const char *line)
{
    return 0;
}

static gint
fails(G_GNUC_UNUSED const char *line)
{
    return 1;
}

static void
assert_set_time(FakeProgram program, const char *time, const char *reply, const char *clock,
                const char *calls)
{
    g_autoptr(TableAgent) agent = table_agent_new();
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"guest-set-time\", \"arguments\": {%s%s}}", *time ? "\"time\": " : "",
        time);

    clock_text[0] = '\0';
    fake_process_set(program);
    g_autofree char *got = table_agent_ask(agent, request);
    ck_assert_str_eq(got, reply);
    ck_assert_str_eq(clock_text, clock);
    ck_assert_str_eq(fake_process_calls(), calls);
}

static void
assert_zone(const char *tz, const char *zone, gint64 offset)
{
    if (tz)
        g_setenv("TZ", tz, TRUE);
    else
        g_unsetenv("TZ");
    g_autoptr(GuestTimezone) result = guest_get_timezone(NULL, NULL);
    ck_assert_ptr_nonnull(result);
    ck_assert_str_eq(result->zone, zone);
    ck_assert_int_eq(result->offset, offset);
}

START_TEST(the_time_has_microseconds)
{
    gint64 before = g_get_real_time(), now = 0;

    ck_assert(guest_get_time(NULL, &now, NULL));
    ck_assert_int_ge(now, before * 1000);
    ck_assert_int_le(now, g_get_real_time() * 1000);
    ck_assert_int_eq(now % 1000, 0);
}
END_TEST

START_TEST(the_environment_sets_the_zone)
{
    zone_file = "/no/such/file";
    assert_zone("UTC", "UTC", 0);
    assert_zone("+05:30", "+05:30", 19800);
    assert_zone("XYZ-05:30", "XYZ", 19800);
    assert_zone("No/Such", "UTC", 0);
    assert_zone("", "UTC", 0);
}
END_TEST

/* The smallest zone file there is: one type of local time, 90 minutes east, named NOVA. */
static const char nova_zone[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\5"
                                "\0\0\x15\x18\0\0"
                                "NOVA";

START_TEST(a_zone_file_in_place_counts_and_a_change_is_seen)
{
    g_autofree char *folder = g_dir_make_tmp("time-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "localtime", NULL);

    zone_file = path;
    assert_zone(NULL, "UTC", 0);
    ck_assert(g_file_set_contents(path, nova_zone, sizeof nova_zone, NULL));
    assert_zone(NULL, "NOVA", 5400);
    g_unlink(path);
    assert_zone(NULL, "UTC", 0);
    g_rmdir(folder);
}
END_TEST

START_TEST(a_time_is_set_to_the_microsecond_and_saved)
{
    static const struct {
        const char *time, *clock;
    } cases[] = {
        { "0", "0 0" },
        { "999", "0 0" },
        { "-999", "0 0" },
        { "1700000000123456789", "1700000000 123456" },
        { "3155759999999999999", "3155759999 999999" },
    };

    set_zone("UTC");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_set_time(succeeds, cases[i].time, "{\"return\": {}}\n", cases[i].clock, "save\n");
}
END_TEST

START_TEST(without_a_time_the_hardware_has_it)
{
    assert_set_time(succeeds, "", "{\"return\": {}}\n", "", "restore\n");
}
END_TEST

START_TEST(a_time_out_of_range_changes_nothing)
{
    static const char *const times[] = { "3155760000000000000", "-1000000000",
                                         "9223372036854775807", "-9223372036854775808" };

    set_zone("UTC");
    for (guint i = 0; i < G_N_ELEMENTS(times); i++)
        assert_set_time(succeeds, times[i], ERROR("Invalid time"), "", "");
    assert_set_time(succeeds, "-1000", ERROR("refused"), "", "");
}
END_TEST

START_TEST(the_range_is_that_of_the_local_calendar)
{
    set_zone("XYZ5"); /* 1969 at the time 0, and not yet 2070 at the end */
    assert_set_time(succeeds, "0", ERROR("Invalid time"), "", "");
    assert_set_time(succeeds, "3155760000000000000", "{\"return\": {}}\n", "3155760000 0",
                    "save\n");
}
END_TEST

START_TEST(a_failing_program_is_an_error_after_the_clock_is_set)
{
    static const char reply[] = ERROR(
        "child process has failed to set hardware clock to system time: exit status 1");

    set_zone("UTC");
    assert_set_time(fails, "1000000000", reply, "1 0", "save\n");
    assert_set_time(fails, "", reply, "", "restore\n");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("time");
    TCase *tcase = tcase_create("time");

    tcase_add_test(tcase, the_time_has_microseconds);
    tcase_add_test(tcase, a_time_is_set_to_the_microsecond_and_saved);
    tcase_add_test(tcase, without_a_time_the_hardware_has_it);
    tcase_add_test(tcase, a_time_out_of_range_changes_nothing);
    tcase_add_test(tcase, the_range_is_that_of_the_local_calendar);
    tcase_add_test(tcase, a_failing_program_is_an_error_after_the_clock_is_set);
    tcase_add_test(tcase, the_environment_sets_the_zone);
    tcase_add_test(tcase, a_zone_file_in_place_counts_and_a_change_is_seen);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
