/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outlives the process. Each test has a state directory of its own. */
#include "core/persist.h"

#include <glib/gstdio.h>

#include "runner.h"

typedef struct {
    char *directory;
    char *state;
    char *mark;
    char *note;
} Place;

static Place *
place_new(void)
{
    Place *place = g_new0(Place, 1);

    place->directory = g_dir_make_tmp("persist-XXXXXX", NULL);
    place->state = g_build_filename(place->directory, "qga.state", NULL);
    place->mark = g_build_filename(place->directory, "qga.state.isfrozen", NULL);
    place->note = g_build_filename(place->directory, "qga.state.thawexpired", NULL);
    return place;
}

/* The directory must hold nothing else: a temporary file left behind is a bug. */
static void
place_free(Place *place)
{
    g_unlink(place->state);
    g_rmdir(place->state);
    g_unlink(place->mark);
    g_unlink(place->note);
    ck_assert_int_eq(g_rmdir(place->directory), 0);
    g_free(place->directory);
    g_free(place->state);
    g_free(place->mark);
    g_free(place->note);
    g_free(place);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Place, place_free)

static void
assert_file(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, expected);
}

static GaPersist *
open_state(const char *directory, GError **error)
{
    g_autoptr(GaPersist) persist = ga_persist_new(directory, error);

    if (!persist || !ga_persist_load(persist, error))
        return NULL;
    return g_steal_pointer(&persist);
}

static gint64
next_handle(const Place *place)
{
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    gint64 handle;

    ck_assert_ptr_nonnull(persist);
    ck_assert(ga_persist_next_handle(persist, &handle, NULL));
    return handle;
}

START_TEST(the_state_is_made_at_start)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);

    ck_assert_ptr_nonnull(persist);
    assert_file(place->state, "[global]\nfd_counter=1000\n");
}
END_TEST

START_TEST(handles_go_on_where_the_last_process_stopped)
{
    g_autoptr(Place) place = place_new();

    ck_assert_int_eq(next_handle(place), 1000);
    assert_file(place->state, "[global]\nfd_counter=1001\n");
    ck_assert_int_eq(next_handle(place), 1001);
    assert_file(place->state, "[global]\nfd_counter=1002\n");
}
END_TEST

START_TEST(a_state_that_is_there_is_not_rewritten_until_a_handle_is_given)
{
    g_autoptr(Place) place = place_new();
    static const char text[] = "# mine\n[global]\nfd_counter = 7 \n[other]\nkey=1\n";

    ck_assert(g_file_set_contents(place->state, text, -1, NULL));
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    ck_assert_ptr_nonnull(persist);
    assert_file(place->state, text);
    ck_assert_int_eq(next_handle(place), 7);
    assert_file(place->state, "[global]\nfd_counter=8\n");
}
END_TEST

START_TEST(a_state_file_is_read_with_tolerance)
{
    static const struct {
        const char *text;
        gint64 handle;
        const char *after;
    } cases[] = {
        { "", 1000, "1001" },
        { "[other]\nfd_counter=5\n", 1000, "1001" },
        { "[global]\nother=5\n", 1000, "1001" },
        { "[global]\nfd_counter=\n", 0, "1" },
        { "[global]\nfd_counter=77x\n", 0, "1" },
        { "[global]\nfd_counter=99999999999\n", 0, "1" },
        { "[global]\nfd_counter=5\nfd_counter=6\n", 6, "7" },
        { "[global]\nfd_counter=2147483647\n", 2147483647, "-2147483648" },
        { "[global]\nfd_counter=-5\n", -5, "-4" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Place) place = place_new();
        g_autofree char *after = g_strdup_printf("[global]\nfd_counter=%s\n", cases[i].after);

        ck_assert(g_file_set_contents(place->state, cases[i].text, -1, NULL));
        ck_assert_int_eq(next_handle(place), cases[i].handle);
        assert_file(place->state, after);
    }
}
END_TEST

START_TEST(the_counter_has_64_bits_while_the_process_lives)
{
    g_autoptr(Place) place = place_new();
    gint64 handle;

    ck_assert(g_file_set_contents(place->state, "[global]\nfd_counter=2147483647\n", -1, NULL));
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    ck_assert(ga_persist_next_handle(persist, &handle, NULL));
    ck_assert(ga_persist_next_handle(persist, &handle, NULL));
    ck_assert_int_eq(handle, G_GINT64_CONSTANT(2147483648));
}
END_TEST

START_TEST(the_mode_of_the_state_file_is_kept)
{
    g_autoptr(Place) place = place_new();
    GStatBuf status;

    ck_assert(g_file_set_contents(place->state, "", 0, NULL));
    ck_assert_int_eq(g_chmod(place->state, 0640), 0);
    next_handle(place);
    ck_assert_int_eq(g_stat(place->state, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0640);
}
END_TEST

START_TEST(a_state_that_cannot_be_loaded_or_made_is_told_as_a_chain)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *start = g_strdup_printf("error loading persistent state from path: %s, ",
                                             place->state);

    ck_assert(g_file_set_contents(place->state, "garbage\n", -1, NULL));
    ck_assert_ptr_null(open_state(place->directory, &error));
    ck_assert_msg(g_str_has_prefix(error->message, start) &&
                      g_str_has_suffix(error->message, "\nfailed to load persistent state"),
                  "%s", error->message);
    g_clear_error(&error);

    ck_assert_ptr_null(open_state("/nonexistent", &error));
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 3);
    ck_assert(g_str_has_prefix(
        lines[0], "failed to write persistent state to /nonexistent/qga.state: Failed to create "
                  "file “/nonexistent/qga.state."));
    ck_assert(g_str_has_suffix(lines[0], "”: No such file or directory"));
    ck_assert_str_eq(lines[1], "unable to create state file at path /nonexistent/qga.state");
    ck_assert_str_eq(lines[2], "failed to load persistent state");
}
END_TEST

START_TEST(a_number_that_could_not_be_kept_is_used_up)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    g_autoptr(GError) error = NULL;
    gint64 handle = -1;

    /* A directory cannot be replaced by a file. */
    g_unlink(place->state);
    g_mkdir(place->state, 0700);
    ck_assert(!ga_persist_next_handle(persist, &handle, &error));
    ck_assert_str_eq(error->message, "failed to commit persistent state to disk");
    ck_assert_int_eq(handle, -1);

    g_rmdir(place->state);
    ck_assert(ga_persist_next_handle(persist, &handle, NULL));
    ck_assert_int_eq(handle, 1001);
}
END_TEST

START_TEST(the_mark_of_a_freeze_outlives_the_process_until_the_thaw)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) first = open_state(place->directory, NULL);

    ck_assert(!ga_persist_is_frozen(first));
    ck_assert(ga_persist_set_frozen(first, TRUE, NULL));
    ck_assert(ga_persist_is_frozen(first));
    assert_file(place->mark, "");

    g_autoptr(GaPersist) second = open_state(place->directory, NULL);
    ck_assert(ga_persist_is_frozen(second));
    ck_assert(ga_persist_set_frozen(second, FALSE, NULL));
    ck_assert(!g_file_test(place->mark, G_FILE_TEST_EXISTS));
    ck_assert(ga_persist_set_frozen(second, FALSE, NULL)); /* gone is gone */
}
END_TEST

START_TEST(what_is_said_of_a_freeze_outlives_its_expiry)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) first = open_state(place->directory, NULL);

    ck_assert_ptr_null(ga_persist_read_freeze(first));
    ga_persist_describe_freeze(first, "x 7\n");
    ck_assert(ga_persist_set_frozen(first, TRUE, NULL));
    assert_file(place->mark, "x 7\n");

    g_autoptr(GaPersist) second = open_state(place->directory, NULL);
    g_autofree char *found = ga_persist_read_freeze(second);
    ck_assert_str_eq(found, "x 7\n");
    ck_assert(ga_persist_expire(second, NULL));
    g_autofree char *left = ga_persist_read_freeze(second);
    ck_assert_str_eq(left, "x 7\n");
    ga_persist_forget_expired(second);
    ck_assert_ptr_null(ga_persist_read_freeze(second));

    ga_persist_describe_freeze(first, NULL);
    ck_assert(ga_persist_set_frozen(first, TRUE, NULL));
    assert_file(place->mark, "");
    ck_assert(ga_persist_set_frozen(first, FALSE, NULL));
}
END_TEST

START_TEST(nothing_is_written_at_a_frozen_start)
{
    g_autoptr(Place) place = place_new();
    gint64 handle;

    ck_assert(g_file_set_contents(place->mark, "", 0, NULL));
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    ck_assert(!g_file_test(place->state, G_FILE_TEST_EXISTS));
    ck_assert(ga_persist_next_handle(persist, &handle, NULL));
    ck_assert_int_eq(handle, 1000);
}
END_TEST

START_TEST(a_handle_given_while_frozen_is_in_the_file_after_the_thaw)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    gint64 handle;

    ck_assert(ga_persist_set_frozen(persist, TRUE, NULL));
    ck_assert(ga_persist_next_handle(persist, &handle, NULL));
    ck_assert_int_eq(handle, 1000);
    assert_file(place->state, "[global]\nfd_counter=1000\n");
    ck_assert(ga_persist_set_frozen(persist, FALSE, NULL));
    assert_file(place->state, "[global]\nfd_counter=1001\n");
}
END_TEST

START_TEST(an_expiry_turns_the_mark_into_a_note)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);

    ck_assert(!ga_persist_has_expired(persist));
    ck_assert(ga_persist_set_frozen(persist, TRUE, NULL));
    ck_assert(ga_persist_expire(persist, NULL));
    ck_assert(!ga_persist_is_frozen(persist));
    ck_assert(!g_file_test(place->mark, G_FILE_TEST_EXISTS));
    ck_assert(ga_persist_has_expired(persist));

    g_autoptr(GaPersist) next = open_state(place->directory, NULL);
    ck_assert(!ga_persist_is_frozen(next) && ga_persist_has_expired(next));
    ga_persist_forget_expired(next);
    ck_assert(!ga_persist_has_expired(persist));
}
END_TEST

START_TEST(an_expiry_leaves_a_note_whoever_came_first)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);

    ck_assert(ga_persist_set_frozen(persist, TRUE, NULL));
    ck_assert_int_eq(g_rename(place->mark, place->note), 0);
    ck_assert(ga_persist_expire(persist, NULL));
    ck_assert(ga_persist_has_expired(persist));
    ga_persist_forget_expired(persist);
    ck_assert(ga_persist_expire(persist, NULL)); /* without a mark */
    ck_assert(ga_persist_has_expired(persist));
}
END_TEST

START_TEST(a_mark_that_cannot_be_made_or_removed_is_told_in_two_lines)
{
    g_autoptr(Place) place = place_new();
    g_autoptr(GaPersist) persist = open_state(place->directory, NULL);
    g_autoptr(GError) created = NULL, deleted = NULL;

    ck_assert_int_eq(g_mkdir(place->mark, 0700), 0);
    ck_assert(!ga_persist_set_frozen(persist, TRUE, &created));
    ck_assert(ga_persist_is_frozen(persist));
    g_autofree char *text = g_strdup_printf(
        "unable to open/create file %s: Is a directory\n"
        "unable to create %s, fsfreeze may not function properly",
        place->mark, place->mark);
    ck_assert_str_eq(created->message, text);

    ck_assert(!ga_persist_set_frozen(persist, FALSE, &deleted));
    ck_assert(!ga_persist_is_frozen(persist));
    g_autofree char *other = g_strdup_printf(
        "unable to delete file: %s: Is a directory\n"
        "unable to delete %s, fsfreeze may not function properly",
        place->mark, place->mark);
    ck_assert_str_eq(deleted->message, other);
    g_rmdir(place->mark);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("persist");
    TCase *tcase = tcase_create("persist");

    tcase_add_test(tcase, the_state_is_made_at_start);
    tcase_add_test(tcase, handles_go_on_where_the_last_process_stopped);
    tcase_add_test(tcase, a_state_that_is_there_is_not_rewritten_until_a_handle_is_given);
    tcase_add_test(tcase, a_state_file_is_read_with_tolerance);
    tcase_add_test(tcase, the_counter_has_64_bits_while_the_process_lives);
    tcase_add_test(tcase, the_mode_of_the_state_file_is_kept);
    tcase_add_test(tcase, a_state_that_cannot_be_loaded_or_made_is_told_as_a_chain);
    tcase_add_test(tcase, a_number_that_could_not_be_kept_is_used_up);
    tcase_add_test(tcase, the_mark_of_a_freeze_outlives_the_process_until_the_thaw);
    tcase_add_test(tcase, what_is_said_of_a_freeze_outlives_its_expiry);
    tcase_add_test(tcase, nothing_is_written_at_a_frozen_start);
    tcase_add_test(tcase, a_handle_given_while_frozen_is_in_the_file_after_the_thaw);
    tcase_add_test(tcase, an_expiry_turns_the_mark_into_a_note);
    tcase_add_test(tcase, an_expiry_leaves_a_note_whoever_came_first);
    tcase_add_test(tcase, a_mark_that_cannot_be_made_or_removed_is_told_in_two_lines);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
