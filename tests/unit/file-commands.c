/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-file-*: turns of sessions that share a handle, over a file that is none: it tells at once
 * or when the test says so.
 */
#include "core/session.h"

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "gen/commands.h"
#include "memory-channel.h"
#include "platform/file.h"
#include "runner.h"

#define SESSIONS 2
#define MANY 500

static GaAgent *agent;
static MemoryChannel *channels[SESSIONS];
static GaEndpoint endpoints[SESSIONS];
static char *folder;

/* The flush or close that is under way. */
static OsFileDone held;
static gpointer held_data;

/* Seeks that are told of from within each other. */
static guint depth, deepest;

struct OsFile {
    gint nothing;
};

static OsFile the_file;

OsFiles *
os_files_new(void)
{
    return NULL;
}

void
os_files_free(G_GNUC_UNUSED OsFiles *files)
{
}

guint
os_files_maximum(void)
{
    return 10;
}

void
os_file_open(G_GNUC_UNUSED OsFiles *files, G_GNUC_UNUSED const char *path,
             G_GNUC_UNUSED const char *mode, OsFileOpened opened, gpointer user_data)
{
    opened(&the_file, NULL, user_data);
}

void
os_file_read(G_GNUC_UNUSED OsFile *file, G_GNUC_UNUSED gsize count, OsFileRead done,
             gpointer user_data)
{
    done(g_bytes_new_static("abc", 3), TRUE, NULL, user_data);
}

void
os_file_prepare_write(G_GNUC_UNUSED OsFile *file, OsFileDone done, gpointer user_data)
{
    done(NULL, user_data);
}

void
os_file_write(G_GNUC_UNUSED OsFile *file, G_GNUC_UNUSED const void *data, G_GNUC_UNUSED gsize size,
              OsFileDone done, gpointer user_data)
{
    done(NULL, user_data);
}

void
os_file_seek(G_GNUC_UNUSED OsFile *file, gint64 offset, G_GNUC_UNUSED OsFileWhence whence,
             OsFileSought done, gpointer user_data)
{
    depth++;
    deepest = MAX(deepest, depth);
    done(offset, NULL, user_data);
    depth--;
}

void
os_file_flush(G_GNUC_UNUSED OsFile *file, OsFileDone done, gpointer user_data)
{
    held = done;
    held_data = user_data;
}

void
os_file_close(OsFile *file, OsFileDone done, gpointer user_data)
{
    os_file_flush(file, done, user_data);
}

void
os_file_free(G_GNUC_UNUSED OsFile *file)
{
}

static void
run_loop(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
tell_held(void)
{
    held(NULL, held_data);
    run_loop();
}

/* `count` times the same request for the one handle. */
static void
ask(MemoryChannel *channel, const char *command, guint count)
{
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"guest-file-%s\", \"arguments\": "
        "{\"handle\": 1000%s}}",
        command, strcmp(command, "seek") == 0 ? ", \"offset\": 5, \"whence\": 0" : "");
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < count; i++)
        g_string_append(all, request);
    ck_assert_uint_eq(memory_send(channel, all->str, all->len), all->len);
    run_loop();
}

static guint
answers(const MemoryChannel *channel)
{
    guint n = 0;

    for (const char *at = channel->output->str; (at = strchr(at, '\n')); at++)
        n++;
    return n;
}

static void
setup(void)
{
    static const char open[] =
        "{\"execute\": \"guest-file-open\", \"arguments\": {\"path\": \"f\"}}";

    folder = g_dir_make_tmp("ga-file-commands-XXXXXX", NULL);
    GaPersist *persist = ga_persist_new(folder, NULL);
    ck_assert(ga_persist_load(persist, NULL));
    agent = ga_agent_new(&ga_command_table, ga_gate_new(&ga_command_table, NULL, NULL, NULL),
                         persist, NULL, NULL);
    for (guint i = 0; i < SESSIONS; i++) {
        endpoints[i].path = (char *)&channels[i];
        ck_assert(ga_session_open(
            ga_session_new(agent, GA_SESSION_VITAL, &endpoints[i], memory_channel_open), NULL));
    }
    memory_send(channels[0], open, strlen(open));
    ck_assert_str_eq(channels[0]->output->str, "{\"return\": 1000}\n");
    g_string_truncate(channels[0]->output, 0);
    depth = deepest = 0;
}

static void
teardown(void)
{
    g_autofree char *state = g_build_filename(folder, "qga.state", NULL);

    ga_agent_free(agent);
    g_unlink(state);
    g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
}

START_TEST(requests_behind_a_slow_one_do_not_pile_up_on_the_stack)
{
    ask(channels[0], "flush", 1);
    ask(channels[0], "seek", MANY);
    ck_assert_uint_eq(answers(channels[0]), 0);

    tell_held();
    ck_assert_uint_eq(answers(channels[0]), 1 + MANY);
    ck_assert_uint_eq(deepest, 1);
}
END_TEST

START_TEST(sessions_that_take_turns_do_not_either)
{
    ask(channels[0], "flush", 1);
    ask(channels[0], "seek", MANY);
    ask(channels[1], "seek", MANY);
    ck_assert_uint_eq(answers(channels[1]), 0);

    tell_held();
    ck_assert_uint_eq(answers(channels[0]), 1 + MANY);
    ck_assert_uint_eq(answers(channels[1]), MANY);
    ck_assert_uint_eq(deepest, 1);
}
END_TEST

START_TEST(who_waits_behind_a_close_finds_no_handle)
{
    ask(channels[0], "flush", 1);
    ask(channels[1], "close", 1);
    tell_held();
    ck_assert_uint_eq(answers(channels[0]), 1);

    ask(channels[0], "seek", 1);
    ck_assert_ptr_nonnull(strstr(channels[0]->output->str, "handle '1000' has not been found"));
    tell_held();
    ck_assert_str_eq(channels[1]->output->str, "{\"return\": {}}\n");
}
END_TEST

START_TEST(the_agent_may_end_while_a_turn_waits_for_the_loop)
{
    ask(channels[0], "flush", 1);
    ask(channels[1], "seek", 1);
    held(NULL, held_data); /* and no turn of the loop after it */
    ck_assert_uint_eq(answers(channels[0]), 1);
    ck_assert_uint_eq(answers(channels[1]), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("file-commands");
    TCase *tests = tcase_create("turns");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, requests_behind_a_slow_one_do_not_pile_up_on_the_stack);
    tcase_add_test(tests, sessions_that_take_turns_do_not_either);
    tcase_add_test(tests, who_waits_behind_a_close_finds_no_handle);
    tcase_add_test(tests, the_agent_may_end_while_a_turn_waits_for_the_loop);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
