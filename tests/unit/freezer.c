/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of freezing and thawing, over verbs that do what the test says and tell it. */
#include "commands/freezer.h"

#include <glib/gstdio.h>
#include <string.h>

#include "commands/helper.h"
#include "core/event.h"
#include "platform/freeze.h"
#include "runner.h"
#include "runtime/qapi-error.h"
#include "toy-agent.h"

#define EXPIRED_TEXT "file systems were thawed before this command: *"
#define GIVEN_UP_TEXT "failed to freeze: the deadline of 5000 ms has passed"

struct OsFreeze {
    gint is_stopped;
};

struct OsGuardian {
    const OsGuardianEvents *events;
    gpointer owner;
    gint64 deadline;
    gint64 count;
};

/* What the verbs do; NULL as an error: they succeed. */
typedef struct {
    char *directory;
    GaConfig config;
    GaAgent *agent;
    GaFreezer *freezer;

    GMutex lock;
    GString *journal;
    const char *open_error, *run_error, *thaw_error, *guardian_error, *hook_error;
    gint64 count;
    const char *hold_error, *let_go_error;
    const char *held; /* the verb that waits on its thread; "*" is all */
    gint n_threads;   /* atomic: verbs under way */
    gboolean is_kept; /* a guardian of before can be found */
    gboolean is_there;
    OsGuardian *guardian;
} Scene;

static Scene *scene;

static G_GNUC_PRINTF(1, 2) void tell(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_mutex_lock(&scene->lock);
    if (scene->journal->len)
        g_string_append_c(scene->journal, ' ');
    g_string_append_vprintf(scene->journal, format, arguments);
    g_mutex_unlock(&scene->lock);
    va_end(arguments);
}

static gboolean
succeeds(const char *text, GError **error)
{
    if (text)
        qapi_set_error(error, "%s", text);
    return !text;
}

static gboolean
is_held(const char *verb)
{
    g_mutex_lock(&scene->lock);
    gboolean is_meant = scene->held &&
                        (strcmp(scene->held, "*") == 0 || strcmp(scene->held, verb) == 0);
    g_mutex_unlock(&scene->lock);
    return is_meant;
}

static void
hold(const char *verb)
{
    g_mutex_lock(&scene->lock);
    scene->held = verb;
    g_mutex_unlock(&scene->lock);
}

static void
on_thread(const char *verb)
{
    g_atomic_int_inc(&scene->n_threads);
    tell("%s", verb);
    while (is_held(verb))
        g_usleep(100);
    g_atomic_int_add(&scene->n_threads, -1);
}

OsFreeze *
os_freeze_open(const GPtrArray *only, GError **error)
{
    on_thread("open");
    for (guint i = 0; only && i < only->len; i++)
        tell("%s", (const char *)only->pdata[i]);
    return succeeds(scene->open_error, error) ? g_new0(OsFreeze, 1) : NULL;
}

void
os_freeze_free(OsFreeze *freeze)
{
    g_free(freeze);
}

void
os_freeze_account(G_GNUC_UNUSED const OsFreeze *freeze, G_GNUC_UNUSED GaAccount *account,
                  G_GNUC_UNUSED const char *command)
{
}

gint64
os_freeze_run(OsFreeze *freeze, gint64 deadline, GError **error)
{
    on_thread(deadline ? "run-until" : "run");
    if (g_atomic_int_get(&freeze->is_stopped))
        return succeeds("stopped", error) ? 0 : -1;
    return succeeds(scene->run_error, error) ? scene->count : -1;
}

void
os_freeze_stop(OsFreeze *freeze)
{
    g_atomic_int_set(&freeze->is_stopped, TRUE);
    tell("stop");
}

gint64
os_thaw(GError **error)
{
    on_thread("thaw");
    return succeeds(scene->thaw_error, error) ? scene->count : -1;
}

void
os_frozen_free(OsFrozen *frozen)
{
    g_free(frozen->directory);
    g_free(frozen);
}

GPtrArray *
os_freeze_list(G_GNUC_UNUSED const OsFreeze *freeze)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)os_frozen_free);
    OsFrozen *frozen = g_new0(OsFrozen, 1);

    frozen->directory = g_strdup("/a");
    g_ptr_array_add(list, frozen);
    return list;
}

static OsGuardian *
guardian_new(gint64 deadline, const OsGuardianEvents *events, gpointer owner)
{
    ck_assert_ptr_null(scene->guardian);
    scene->guardian = g_new(OsGuardian, 1);
    *scene->guardian = (OsGuardian){ events, owner, deadline, -1 };
    return scene->guardian;
}

OsGuardian *
os_guardian_start(G_GNUC_UNUSED const OsFreeze *freeze, const char *directory, gint64 deadline,
                  const OsGuardianEvents *events, gpointer owner, GError **error)
{
    ck_assert_str_eq(directory, scene->directory);
    ck_assert_int_gt(deadline, g_get_monotonic_time());
    tell("guard");
    return succeeds(scene->guardian_error, error) ? guardian_new(deadline, events, owner) : NULL;
}

OsGuardian *
os_guardian_find(G_GNUC_UNUSED const char *directory, const OsGuardianEvents *events,
                 gpointer owner)
{
    return scene->is_kept ? guardian_new(0, events, owner) : NULL;
}

void
os_guardian_dismiss(G_GNUC_UNUSED const char *directory)
{
    if (scene->is_there)
        tell("dismiss");
    scene->is_there = FALSE;
}

gboolean
os_guardian_exists(G_GNUC_UNUSED const char *directory)
{
    return scene->is_there;
}

void
os_guardian_freezing_is_over(OsGuardian *guardian, gint64 count)
{
    ck_assert_ptr_eq(guardian, scene->guardian);
    guardian->count = count;
    tell("over");
}

static void
answer_keep(void)
{
    OsGuardian *guardian = scene->guardian;

    guardian->events->told(guardian->owner, guardian->deadline, guardian->count);
}

void
os_guardian_keep(OsGuardian *guardian, gint64 deadline)
{
    ck_assert_ptr_eq(guardian, scene->guardian);
    tell("keep");
    guardian->deadline = MAX(guardian->deadline, deadline);
}

static gboolean
answer_release(gpointer has_expired)
{
    OsGuardian *guardian = scene->guardian;

    guardian->events->ended(guardian->owner, GPOINTER_TO_INT(has_expired));
    return G_SOURCE_REMOVE;
}

void
os_guardian_release(OsGuardian *guardian)
{
    ck_assert_ptr_eq(guardian, scene->guardian);
    tell("release");
    g_idle_add(answer_release, GINT_TO_POINTER(FALSE));
}

void
os_guardian_free(OsGuardian *guardian)
{
    if (!guardian)
        return;
    ck_assert_ptr_eq(guardian, scene->guardian);
    scene->guardian = NULL;
    tell("let-go");
    g_free(guardian);
}

static gboolean
is_there(const char *name)
{
    g_autofree char *path = g_build_filename(scene->directory, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
leave(const char *name)
{
    g_autofree char *path = g_build_filename(scene->directory, name, NULL);

    ck_assert(g_file_set_contents(path, "", 0, NULL));
}

void
ga_helper_run(const GaHelperSpec *spec, GaHelperDone done, gpointer user_data)
{
    GError *error = NULL;

    ck_assert_str_eq(spec->argv[0], "/hook");
    ck_assert_str_eq(spec->action, "execute fsfreeze hook");
    ck_assert_uint_eq(spec->time_limit_ms, 70);
    /* Upstream's hooks see neither the frozen state nor its mark. */
    ck_assert(!ga_gate_is_frozen(ga_agent_gate(scene->agent)));
    ck_assert(!is_there("qga.state.isfrozen"));
    tell("hook-%s%s%s", spec->argv[1], spec->variable ? "-" : "",
         spec->variable ? spec->value : "");
    if (spec->variable)
        ck_assert_str_eq(spec->variable, "NOVACRON_QUIESCE_HELD");
    succeeds(scene->hook_error, &error);
    done(error, user_data);
}

static void
on_frozen_changed(G_GNUC_UNUSED gpointer owner, gboolean is_frozen)
{
    tell(is_frozen ? "[" : "]");
}

static void
open_agent(void)
{
    GaGate *gate = ga_gate_new(&toy_table, NULL, NULL, NULL);
    GaPersist *persist = ga_persist_new(scene->directory, NULL);

    ck_assert(ga_persist_load(persist, NULL));
    ga_gate_set_frozen(gate, ga_persist_is_frozen(persist));
    scene->agent = ga_agent_new(&toy_table, gate, persist, NULL, &scene->config);
    ga_agent_watch_frozen(scene->agent, on_frozen_changed, NULL);
    scene->freezer = ga_freezer_new(scene->agent);
}

static void
close_agent(void)
{
    ga_freezer_free(scene->freezer);
    ga_agent_free(scene->agent);
}

static void
ignore(G_GNUC_UNUSED const char *domain, G_GNUC_UNUSED GLogLevelFlags level,
       G_GNUC_UNUSED const char *message, G_GNUC_UNUSED gpointer user_data)
{
}

static void
setup(void)
{
    scene = g_new0(Scene, 1);
    scene->directory = g_dir_make_tmp("freezer-XXXXXX", NULL);
    scene->config.fsfreeze_hook = g_strdup("/hook");
    scene->config.freeze_hook_timeout_ms = 70;
    scene->journal = g_string_new(NULL);
    scene->count = 3;
    g_mutex_init(&scene->lock);
    g_log_set_default_handler(ignore, NULL);
    open_agent();
}

static void
teardown(void)
{
    static const char *const names[] = { "qga.state", "qga.state.isfrozen",
                                         "qga.state.thawexpired" };

    hold(NULL);
    close_agent();
    while (g_atomic_int_get(&scene->n_threads) || g_main_context_iteration(NULL, FALSE))
        ;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(scene->directory, names[i], NULL);
        g_unlink(path);
    }
    ck_assert_int_eq(g_rmdir(scene->directory), 0);
    ck_assert_ptr_null(scene->guardian);
    g_log_set_default_handler(g_log_default_handler, NULL);
    g_string_free(scene->journal, TRUE);
    g_mutex_clear(&scene->lock);
    g_free(scene->config.fsfreeze_hook);
    g_free(scene->directory);
    g_free(scene);
}

typedef struct {
    gboolean is_done;
    gint64 count;
    char *error;
} Answer;

static void
on_answer(gint64 count, GError *error, gpointer user_data)
{
    Answer *answer = user_data;

    ck_assert(!answer->is_done);
    answer->is_done = TRUE;
    answer->count = count;
    answer->error = error ? g_strdup(error->message) : NULL;
    g_clear_error(&error);
}

static void
ask_freeze(Answer *answer)
{
    GaFreezeRequest request = { "toy-add", NULL, scene->config.freeze_deadline_ms, NULL };

    *answer = (Answer){ .is_done = FALSE };
    ga_freezer_freeze(scene->freezer, &request, on_answer, answer);
}

static void
ask_thaw(Answer *answer)
{
    *answer = (Answer){ .is_done = FALSE };
    ga_freezer_thaw(scene->freezer, "toy-later", on_answer, answer);
}

static void
wait_for(const Answer *answer)
{
    while (!answer->is_done)
        g_main_context_iteration(NULL, TRUE);
}

/* Until nothing more happens without a thread. */
static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
assert_count(Answer *answer, gint64 count)
{
    wait_for(answer);
    ck_assert_msg(!answer->error, "%s", answer->error);
    ck_assert_int_eq(answer->count, count);
}

static void
assert_fails(Answer *answer, const char *pattern)
{
    wait_for(answer);
    ck_assert_ptr_nonnull(answer->error);
    ck_assert_msg(g_pattern_match_simple(pattern, answer->error), "%s", answer->error);
    g_free(answer->error);
}

static void
freeze(gint64 count)
{
    Answer answer;

    ask_freeze(&answer);
    assert_count(&answer, count);
}

static void
freeze_fails(const char *pattern)
{
    Answer answer;

    ask_freeze(&answer);
    assert_fails(&answer, pattern);
}

static void
thaw(gint64 count)
{
    Answer answer;

    ask_thaw(&answer);
    assert_count(&answer, count);
}

static void
thaw_fails(const char *pattern)
{
    Answer answer;

    ask_thaw(&answer);
    assert_fails(&answer, pattern);
}

/* What was done since the last time. */
static void
assert_journal(const char *expected)
{
    g_mutex_lock(&scene->lock);
    g_autofree char *found = g_strdup(scene->journal->str);
    g_string_truncate(scene->journal, 0);
    g_mutex_unlock(&scene->lock);
    ck_assert_str_eq(found, expected);
}

static void
wait_for_journal(const char *expected)
{
    gboolean is_there_now = FALSE;

    while (!is_there_now) {
        g_main_context_iteration(NULL, FALSE);
        g_mutex_lock(&scene->lock);
        is_there_now = strcmp(scene->journal->str, expected) == 0;
        g_mutex_unlock(&scene->lock);
    }
    assert_journal(expected);
}

static void
assert_frozen(gboolean is_frozen)
{
    ck_assert_int_eq(ga_gate_is_frozen(ga_agent_gate(scene->agent)), is_frozen);
    ck_assert_int_eq(is_there("qga.state.isfrozen"), is_frozen);
}

static void
end_guardian(gboolean has_expired)
{
    OsGuardian *guardian = scene->guardian;

    guardian->events->ended(guardian->owner, has_expired);
}

/* The guardian turns the mark into the note before it tells. */
static void
expire(void)
{
    g_autofree char *mark = g_build_filename(scene->directory, "qga.state.isfrozen", NULL);
    g_autofree char *note = g_build_filename(scene->directory, "qga.state.thawexpired", NULL);

    ck_assert_int_eq(g_rename(mark, note), 0);
    end_guardian(TRUE);
}

/* That of the agent's start is not counted. */
static void
assert_events(guint count, const GaEventType *types)
{
    const GaEvents *events = ga_events_of(scene->agent);

    ck_assert_uint_eq(ga_events_last(events), count + 1);
    for (guint i = 0; i < count; i++)
        ck_assert_int_eq(ga_events_get(events, i + 2)->type, types[i]);
}

static void
use_deadline(void)
{
    scene->config.freeze_deadline_ms = 5000;
}

START_TEST(the_steps_are_upstreams)
{
    freeze(3);
    assert_journal("hook-freeze open [ run");
    assert_frozen(TRUE);
    thaw(3);
    assert_journal("thaw ] hook-thaw");
    assert_frozen(FALSE);
}
END_TEST

START_TEST(a_list_is_handed_over)
{
    g_autoptr(GPtrArray) only = g_ptr_array_new();
    Answer answer = { .is_done = FALSE };
    char first[] = "/a", second[] = "/b";

    g_ptr_array_add(only, first);
    g_ptr_array_add(only, second);
    GaFreezeRequest request = { "toy-add", only, 0, NULL };
    ga_freezer_freeze(scene->freezer, &request, on_answer, &answer);
    first[1] = second[1] = 'x'; /* borrowed for the time of the call */
    assert_count(&answer, 3);
    assert_journal("hook-freeze open /a /b [ run");
}
END_TEST

START_TEST(without_a_hook_none_is_run)
{
    g_clear_pointer(&scene->config.fsfreeze_hook, g_free);
    freeze(3);
    thaw(3);
    assert_journal("open [ run thaw ]");
}
END_TEST

START_TEST(a_hook_that_fails_prevents_the_freeze)
{
    scene->hook_error = "no";
    freeze_fails("no");
    assert_journal("hook-freeze hook-thaw");
    assert_frozen(FALSE);
}
END_TEST

START_TEST(without_a_list_the_hook_alone_is_undone)
{
    scene->open_error = "no list";
    freeze_fails("no list");
    assert_journal("hook-freeze open hook-thaw");
    assert_frozen(FALSE);
}
END_TEST

START_TEST(a_freeze_that_fails_goes_on_as_a_thaw)
{
    scene->run_error = "failed to freeze /a: E";
    freeze_fails("failed to freeze /a: E");
    assert_journal("hook-freeze open [ run thaw ] hook-thaw");
    assert_frozen(FALSE);
}
END_TEST

START_TEST(what_else_fails_does_not_hide_why_the_freeze_did)
{
    scene->run_error = "first";
    scene->thaw_error = "second";
    freeze_fails("first");
    assert_frozen(TRUE); /* nothing could be thawed: only another thaw helps */
    scene->thaw_error = NULL;
    thaw(3);
    assert_frozen(FALSE);
}
END_TEST

START_TEST(nothing_frozen_means_thawed_and_the_hook_undone)
{
    scene->count = 0;
    freeze(0);
    assert_journal("hook-freeze open [ run ] hook-thaw");
    assert_frozen(FALSE);
    use_deadline();
    freeze(0);
    assert_journal("hook-freeze open [ guard run-until over ] release let-go hook-thaw");
}
END_TEST

START_TEST(a_thaw_is_done_though_its_hook_fails)
{
    freeze(3);
    scene->hook_error = "no";
    thaw_fails("no");
    assert_frozen(FALSE);
    thaw_fails("no"); /* it runs each time */
}
END_TEST

START_TEST(a_thaw_without_a_list_leaves_all_as_it_is)
{
    freeze(3);
    scene->thaw_error = "failed to open mtab file";
    thaw_fails("failed to open mtab file");
    assert_frozen(TRUE);
}
END_TEST

START_TEST(operations_wait_for_each_other)
{
    Answer first, second, third;

    hold("*");
    ask_freeze(&first);
    ask_freeze(&second);
    ask_thaw(&third);
    wait_for_journal("hook-freeze open");
    hold(NULL);
    assert_count(&first, 3);
    assert_fails(&second, "Command toy-add has been disabled: the command is not allowed");
    assert_count(&third, 3);
    assert_journal("[ run thaw ] hook-thaw");
}
END_TEST

static void
on_idle(gpointer owner)
{
    *(gboolean *)owner = TRUE;
}

START_TEST(the_end_of_all_operations_is_told)
{
    gboolean is_idle = FALSE;
    Answer first, second;

    ck_assert(!ga_freezer_wait(scene->freezer, on_idle, &is_idle));
    hold("*");
    ask_freeze(&first);
    ask_thaw(&second);
    ck_assert(ga_freezer_wait(scene->freezer, on_idle, &is_idle));
    hold(NULL);
    assert_count(&first, 3);
    ck_assert(!is_idle);
    assert_count(&second, 3);
    ck_assert(is_idle);
}
END_TEST

START_TEST(a_guardian_is_there_before_the_freeze_and_until_all_is_thawed)
{
    use_deadline();
    ck_assert(!ga_freezer_is_guarded(scene->freezer));
    freeze(3);
    assert_journal("hook-freeze open [ guard run-until over");
    ck_assert(ga_freezer_is_guarded(scene->freezer));
    thaw(3);
    assert_journal("thaw ] release let-go hook-thaw");
    ck_assert(!ga_freezer_is_guarded(scene->freezer));
}
END_TEST

START_TEST(without_a_guardian_nothing_is_frozen)
{
    use_deadline();
    scene->guardian_error = "no process";
    freeze_fails("no process");
    assert_journal("hook-freeze open [ guard thaw ] hook-thaw");
}
END_TEST

START_TEST(a_guardian_outlives_the_freezer)
{
    use_deadline();
    freeze(3);
    assert_journal("hook-freeze open [ guard run-until over");
    close_agent();
    assert_journal("let-go");
    open_agent();
    assert_frozen(TRUE);
}
END_TEST

START_TEST(an_expiry_is_told_by_the_next_thaw_only)
{
    use_deadline();
    freeze(3);
    expire();
    settle();
    assert_journal("hook-freeze open [ guard run-until over let-go ] hook-thaw");
    assert_frozen(FALSE);
    ck_assert(is_there("qga.state.thawexpired"));

    scene->count = 0;
    thaw_fails(EXPIRED_TEXT);
    assert_journal("thaw hook-thaw");
    ck_assert(!is_there("qga.state.thawexpired"));
    thaw(0);
}
END_TEST

START_TEST(an_expiry_is_told_though_the_hook_fails)
{
    use_deadline();
    freeze(3);
    expire();
    settle();
    scene->hook_error = "no";
    thaw_fails(EXPIRED_TEXT);
    thaw_fails("no");
}
END_TEST

START_TEST(a_new_freeze_forgets_the_expiry_of_the_last)
{
    use_deadline();
    freeze(3);
    expire();
    settle();
    freeze(3);
    ck_assert(!is_there("qga.state.thawexpired"));
    thaw(3);
}
END_TEST

START_TEST(what_was_held_is_told_as_events)
{
    static const GaEventType held[] = { GA_EVENT_FROZEN, GA_EVENT_THAWED, GA_EVENT_FROZEN,
                                        GA_EVENT_FREEZE_EXPIRED };

    thaw(3); /* nothing of the agent's */
    freeze(3);
    thaw(3);
    use_deadline();
    freeze(3);
    expire();
    settle();
    thaw_fails(EXPIRED_TEXT);
    assert_events(G_N_ELEMENTS(held), held);
    ck_assert_int_eq(ga_events_get(ga_events_of(scene->agent), 2)->count, 3);
}
END_TEST

START_TEST(what_was_not_is_not)
{
    scene->run_error = "no";
    freeze_fails("no");
    scene->run_error = NULL;
    scene->count = 0;
    freeze(0);
    assert_events(0, NULL);
}
END_TEST

START_TEST(when_the_guardian_dies_the_agent_thaws)
{
    use_deadline();
    freeze(3);
    assert_journal("hook-freeze open [ guard run-until over");
    end_guardian(FALSE);
    wait_for_journal("let-go thaw ] hook-thaw");
    assert_frozen(FALSE);
    thaw_fails(EXPIRED_TEXT);
    thaw(3);
}
END_TEST

/* A freeze whose thread does not come back until hold(NULL). */
static void
hang(Answer *answer)
{
    use_deadline();
    hold("run-until");
    ask_freeze(answer);
    wait_for_journal("hook-freeze open [ guard run-until");
}

START_TEST(when_the_guardian_dies_during_the_freeze_that_fails)
{
    Answer answer;

    hang(&answer);
    end_guardian(FALSE);
    hold(NULL);
    assert_fails(&answer, "stopped");
    assert_journal("let-go stop thaw ] hook-thaw");
    assert_frozen(FALSE);
    thaw(3);
}
END_TEST

START_TEST(when_the_guardian_dies_just_after_the_freeze_that_fails_too)
{
    Answer answer;

    hang(&answer);
    hold(NULL);
    while (g_atomic_int_get(&scene->n_threads))
        g_usleep(100);
    end_guardian(FALSE); /* before the loop hears of the thread */
    assert_fails(&answer, "failed to freeze: the guardian of the freeze has gone");
    assert_frozen(FALSE);
}
END_TEST

START_TEST(a_freeze_that_hangs_is_given_up_at_the_deadline)
{
    Answer answer;

    hang(&answer);
    expire();
    assert_fails(&answer, GIVEN_UP_TEXT);
    assert_frozen(FALSE);
    assert_journal("] hook-thaw");

    freeze_fails("a freeze that was given up * still hangs *");
    thaw_fails(EXPIRED_TEXT);
    assert_journal("hook-thaw"); /* a thaw would hang, too */
    ck_assert_ptr_nonnull(scene->guardian);

    hold(NULL);
    wait_for_journal("let-go");
    freeze(3);
    thaw(3);
}
END_TEST

START_TEST(an_agent_that_leaves_stops_freezing)
{
    Answer answer;

    hang(&answer);
    close_agent();
    assert_journal("stop let-go");
    hold(NULL);
    open_agent();
    ck_assert(!answer.is_done);
}
END_TEST

START_TEST(a_list_that_hangs_is_given_up_at_the_deadline)
{
    Answer answer;

    scene->config.freeze_deadline_ms = 20;
    hold("*");
    ask_freeze(&answer);
    assert_fails(&answer, "failed to freeze: the deadline of 20 ms has passed");
    assert_journal("hook-freeze open hook-thaw");
    freeze_fails("a freeze that was given up * still hangs *");
    hold(NULL);
    use_deadline();
    for (ask_freeze(&answer); answer.error; ask_freeze(&answer)) {
        g_free(answer.error);
        g_main_context_iteration(NULL, FALSE);
    }
    assert_count(&answer, 3);
    thaw(3);
}
END_TEST

START_TEST(where_a_former_guardian_still_works_nothing_is_frozen)
{
    scene->is_there = TRUE;
    freeze_fails("a freeze that was given up * still hangs *");
    assert_journal("");
}
END_TEST

START_TEST(an_expiry_during_the_thaw_counts)
{
    Answer answer;

    use_deadline();
    freeze(3);
    hold("*");
    ask_thaw(&answer);
    expire();
    hold(NULL);
    assert_fails(&answer, EXPIRED_TEXT);
    assert_frozen(FALSE);
    thaw(3);
}
END_TEST

static void
restart(void)
{
    close_agent();
    open_agent();
    g_string_truncate(scene->journal, 0);
    ga_freezer_resume(scene->freezer);
    settle();
}

typedef struct {
    guint n_told;
    gint64 deadline;
    char *error;
} Kept;

static void
on_kept(gint64 deadline, GError *error, gpointer user_data)
{
    Kept *kept = user_data;

    kept->n_told++;
    kept->deadline = deadline;
    g_free(kept->error);
    kept->error = error ? g_strdup(error->message) : NULL;
    g_clear_error(&error);
}

static void
keep(gint64 deadline, Kept *kept)
{
    *kept = (Kept){ .n_told = 0 };
    ga_freezer_keep(scene->freezer, deadline, on_kept, kept);
}

static void
assert_not_kept(Kept *kept, const char *pattern)
{
    ck_assert_uint_eq(kept->n_told, 1);
    ck_assert_ptr_nonnull(kept->error);
    ck_assert_msg(g_pattern_match_simple(pattern, kept->error), "%s", kept->error);
    g_clear_pointer(&kept->error, g_free);
}

/* As a client that names its freeze. */
static void
freeze_as(const char *id)
{
    GaFreezeRequest request = { "toy-add", NULL, 5000, id };
    Answer answer = { .is_done = FALSE };

    ga_freezer_freeze(scene->freezer, &request, on_answer, &answer);
    assert_count(&answer, 3);
}

static const GaFreezeReport *
report(void)
{
    return ga_freezer_report(scene->freezer);
}

START_TEST(a_deadline_is_put_off_when_the_guardian_says_so)
{
    gint64 later;
    Kept kept, other;

    freeze_as("x");
    later = report()->deadline + 1000;
    keep(later, &kept);
    ck_assert_uint_eq(kept.n_told, 0);
    keep(later, &other);
    assert_not_kept(&other, "busy: *");
    answer_keep();
    ck_assert_uint_eq(kept.n_told, 1);
    ck_assert_int_eq(kept.deadline, later);
    ck_assert_int_eq(report()->deadline, later);
    thaw(3);
    keep(later, &kept);
    assert_not_kept(&kept, "not-found: *");
}
END_TEST

START_TEST(an_expiry_wins_over_what_was_not_answered)
{
    Kept kept;

    freeze_as("x");
    keep(report()->deadline + 1000, &kept);
    expire();
    assert_not_kept(&kept, "not-found: the freeze has ended *");
    settle();
    ck_assert(report()->is_over && report()->is_expired);
    thaw_fails(EXPIRED_TEXT);
}
END_TEST

START_TEST(a_guardian_that_says_nothing_is_not_waited_for)
{
    Kept kept;

    freeze_as("x");
    keep(report()->deadline + 1000, &kept);
    while (!kept.n_told)
        g_main_context_iteration(NULL, TRUE);
    assert_not_kept(&kept, "timeout: *");
    answer_keep(); /* after all */
    ck_assert_uint_eq(kept.n_told, 1);
    thaw(3);
}
END_TEST

START_TEST(nothing_is_put_off_during_a_freeze)
{
    Answer answer;
    Kept kept;

    hang(&answer);
    keep(G_MAXINT64, &kept);
    assert_not_kept(&kept, "busy: *");
    hold(NULL);
    assert_count(&answer, 3);
    thaw(3);
}
END_TEST

START_TEST(the_report_says_what_was_done)
{
    ck_assert(report()->is_over && !report()->id);
    freeze_as("x");
    ck_assert(!report()->is_over);
    ck_assert_str_eq(report()->id, "x");
    ck_assert_int_eq(report()->count, 3);
    ck_assert_int_ge(report()->freeze, 0);
    ck_assert_int_eq(report()->thaw, -1);
    ck_assert_int_ge(report()->freeze_hook, 0);
    ck_assert_uint_eq(report()->file_systems->len, 1);
    ck_assert_int_eq(report()->deadline, report()->begun + 5000000);
    ck_assert_int_eq(scene->guardian->count, 3);
    scene->hook_error = "no";
    scene->count = 2;
    thaw_fails("no");
    ck_assert(report()->is_over && !report()->is_expired);
    ck_assert_str_eq(report()->ended_by, "toy-later");
    ck_assert_int_eq(report()->thawed, 2);
    ck_assert_str_eq(report()->thaw_hook_error, "no");
    ck_assert_int_ge(report()->ended, report()->begun);
    scene->hook_error = NULL;
    thaw(2); /* another one changes nothing of that */
    ck_assert_str_eq(report()->id, "x");
    use_deadline();
    freeze(2);
    ck_assert_ptr_null(report()->id);
    ck_assert_ptr_null(report()->thaw_hook_error);
    thaw(2);
}
END_TEST

START_TEST(the_phase_is_told)
{
    Answer answer;

    ck_assert_int_eq(ga_freezer_phase(scene->freezer), GA_FREEZER_IDLE);
    hold("open");
    ask_freeze(&answer);
    ck_assert_int_eq(ga_freezer_phase(scene->freezer), GA_FREEZER_PREPARING);
    hold("run");
    wait_for_journal("hook-freeze open [ run");
    ck_assert_int_eq(ga_freezer_phase(scene->freezer), GA_FREEZER_FREEZING);
    hold("thaw");
    assert_count(&answer, 3);
    ck_assert_int_eq(ga_freezer_phase(scene->freezer), GA_FREEZER_FROZEN);
    ask_thaw(&answer);
    ck_assert_int_eq(ga_freezer_phase(scene->freezer), GA_FREEZER_THAWING);
    hold(NULL);
    assert_count(&answer, 3);
}
END_TEST

START_TEST(the_next_agent_adopts_the_guardian)
{
    use_deadline();
    freeze(3);
    scene->is_kept = TRUE;
    restart();
    assert_frozen(TRUE);
    ck_assert(ga_freezer_is_guarded(scene->freezer));
    thaw(3);
    assert_journal("thaw ] release let-go hook-thaw");
}
END_TEST

/* By an agent that was killed between its thaw and the guardian's release. */
START_TEST(the_next_agent_dismisses_a_guardian_of_nothing)
{
    use_deadline();
    scene->is_there = TRUE;
    restart();
    assert_journal("dismiss");
    assert_frozen(FALSE);
    freeze(3);
    thaw(3);
}
END_TEST

START_TEST(the_next_agent_thaws_when_the_guardian_has_gone)
{
    use_deadline();
    leave("qga.state.isfrozen");
    restart();
    wait_for_journal("thaw ] hook-thaw");
    assert_frozen(FALSE);
    thaw_fails(EXPIRED_TEXT);
}
END_TEST

START_TEST(the_next_agent_knows_whose_freeze_it_is)
{
    freeze_as("x");
    gint64 begun = report()->begun;
    scene->is_kept = TRUE;
    restart();
    ck_assert_str_eq(report()->id, "x");
    ck_assert_int_eq(report()->begun, begun);
    ck_assert_int_eq(report()->count, -1);
    scene->guardian->deadline = begun + 1;
    scene->guardian->count = 3;
    answer_keep();
    ck_assert_int_eq(report()->count, 3);
    ck_assert_int_eq(report()->deadline, begun + 1);
    thaw(3);
    ck_assert(report()->is_over && !report()->is_expired);
}
END_TEST

/* Whatever the configuration says: that one had a guardian. */
START_TEST(nor_does_it_stay_frozen_when_both_are_gone)
{
    freeze_as("x");
    close_agent();
    open_agent();
    g_string_truncate(scene->journal, 0);
    ga_freezer_resume(scene->freezer);
    wait_for_journal("thaw ] hook-thaw");
    ck_assert_str_eq(report()->id, "x");
    ck_assert(report()->is_over && report()->is_expired);
    thaw_fails(EXPIRED_TEXT);
}
END_TEST

START_TEST(without_a_deadline_the_next_agent_waits_as_upstreams)
{
    leave("qga.state.isfrozen");
    restart();
    assert_journal("");
    assert_frozen(TRUE);
    thaw(3);
}
END_TEST

START_TEST(the_next_agent_makes_up_for_the_hook_of_an_expiry)
{
    leave("qga.state.thawexpired");
    restart();
    assert_journal("hook-thaw");
    thaw_fails(EXPIRED_TEXT);
}
END_TEST

/* Something that is held beside the file systems. */

static void
on_hold(G_GNUC_UNUSED GaFreezeHolder *holder, GaFreezeHeld held, gpointer user_data)
{
    GError *error = NULL;

    ck_assert(!is_there("qga.state.isfrozen"));
    tell("hold");
    succeeds(scene->hold_error, &error);
    held(error, user_data);
}

static void
on_let_go(G_GNUC_UNUSED GaFreezeHolder *holder, GaFreezeHeld released, gpointer user_data)
{
    GError *error = NULL;

    ck_assert(!is_there("qga.state.isfrozen"));
    tell("release-holder");
    succeeds(scene->let_go_error, &error);
    released(error, user_data);
}

static char *
on_kinds(G_GNUC_UNUSED const GaFreezeHolder *holder)
{
    return g_strdup("a b");
}

static void
on_free(GaFreezeHolder *holder)
{
    tell("free");
    g_free(holder);
}

static void
ask_freeze_with_holder(Answer *answer)
{
    static const GaFreezeHolderClass class = { on_hold, on_let_go, on_kinds, on_free };
    GaFreezeHolder *holder = g_new(GaFreezeHolder, 1);
    GaFreezeRequest request = { .command = "toy-add",
                                .deadline_ms = scene->config.freeze_deadline_ms,
                                .id = "id",
                                .holder = holder };

    holder->class = &class;
    *answer = (Answer){ .is_done = FALSE };
    ga_freezer_freeze(scene->freezer, &request, on_answer, answer);
}

START_TEST(a_holder_holds_from_the_hook_until_the_thaw)
{
    Answer answer;

    ask_freeze_with_holder(&answer);
    assert_count(&answer, 3);
    assert_journal("hook-freeze-a b hold open [ run");
    thaw(3);
    assert_journal("thaw ] release-holder hook-thaw-a b");
    ck_assert_ptr_null(ga_freezer_report(scene->freezer)->hold_error);
    ck_assert_ptr_nonnull(ga_freezer_holder(scene->freezer));
    thaw(3);
    assert_journal("thaw hook-thaw-a b");
    freeze(3);
    assert_journal("free hook-freeze open [ run");
}
END_TEST

START_TEST(what_cannot_be_held_prevents_the_freeze)
{
    Answer answer;

    scene->hold_error = "no hold";
    ask_freeze_with_holder(&answer);
    assert_fails(&answer, "no hold");
    assert_journal("hook-freeze-a b hold release-holder hook-thaw-a b");
    assert_frozen(FALSE);
}
END_TEST

START_TEST(what_was_held_is_let_go_however_the_freeze_fails)
{
    Answer answer;

    scene->open_error = "no list";
    ask_freeze_with_holder(&answer);
    assert_fails(&answer, "no list");
    assert_journal("hook-freeze-a b hold open release-holder hook-thaw-a b");

    scene->open_error = NULL;
    scene->count = 0;
    ask_freeze_with_holder(&answer);
    assert_count(&answer, 0);
    assert_journal("free hook-freeze-a b hold open [ run ] release-holder hook-thaw-a b");

    scene->hook_error = "no hook";
    ask_freeze_with_holder(&answer);
    assert_fails(&answer, "no hook");
    assert_journal("free hook-freeze-a b release-holder hook-thaw-a b");
}
END_TEST

START_TEST(what_was_not_held_until_the_thaw_is_reported)
{
    Answer answer;

    scene->let_go_error = "lost";
    ask_freeze_with_holder(&answer);
    assert_count(&answer, 3);
    thaw(3);
    ck_assert_str_eq(ga_freezer_report(scene->freezer)->hold_error, "lost");
}
END_TEST

START_TEST(an_expiry_lets_go_as_well)
{
    Answer answer;

    use_deadline();
    ask_freeze_with_holder(&answer);
    assert_count(&answer, 3);
    assert_journal("hook-freeze-a b hold open [ guard run-until over");
    expire();
    settle();
    assert_journal("let-go ] release-holder hook-thaw-a b");
    thaw_fails(EXPIRED_TEXT);
}
END_TEST

START_TEST(a_holder_whose_freeze_does_not_begin_is_not_asked)
{
    Answer answer;

    freeze(3);
    assert_journal("hook-freeze open [ run");
    ask_freeze_with_holder(&answer);
    assert_fails(&answer, "Command toy-add has been disabled: *");
    assert_journal("free");
    ck_assert_ptr_null(ga_freezer_holder(scene->freezer));
}
END_TEST

START_TEST(the_next_agent_knows_that_nobody_held_on)
{
    Answer answer;

    ask_freeze_with_holder(&answer);
    assert_count(&answer, 3);
    restart();
    ck_assert_ptr_null(ga_freezer_holder(scene->freezer));
    ck_assert_str_eq(ga_freezer_report(scene->freezer)->id, "id");
    ck_assert_ptr_nonnull(ga_freezer_report(scene->freezer)->hold_error);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("freezer");
    TCase *tcase = tcase_create("freezer");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_steps_are_upstreams);
    tcase_add_test(tcase, a_list_is_handed_over);
    tcase_add_test(tcase, without_a_hook_none_is_run);
    tcase_add_test(tcase, a_hook_that_fails_prevents_the_freeze);
    tcase_add_test(tcase, without_a_list_the_hook_alone_is_undone);
    tcase_add_test(tcase, a_freeze_that_fails_goes_on_as_a_thaw);
    tcase_add_test(tcase, what_else_fails_does_not_hide_why_the_freeze_did);
    tcase_add_test(tcase, nothing_frozen_means_thawed_and_the_hook_undone);
    tcase_add_test(tcase, a_thaw_is_done_though_its_hook_fails);
    tcase_add_test(tcase, a_thaw_without_a_list_leaves_all_as_it_is);
    tcase_add_test(tcase, operations_wait_for_each_other);
    tcase_add_test(tcase, the_end_of_all_operations_is_told);
    tcase_add_test(tcase, a_guardian_is_there_before_the_freeze_and_until_all_is_thawed);
    tcase_add_test(tcase, without_a_guardian_nothing_is_frozen);
    tcase_add_test(tcase, a_guardian_outlives_the_freezer);
    tcase_add_test(tcase, an_expiry_is_told_by_the_next_thaw_only);
    tcase_add_test(tcase, an_expiry_is_told_though_the_hook_fails);
    tcase_add_test(tcase, a_new_freeze_forgets_the_expiry_of_the_last);
    tcase_add_test(tcase, what_was_held_is_told_as_events);
    tcase_add_test(tcase, what_was_not_is_not);
    tcase_add_test(tcase, when_the_guardian_dies_the_agent_thaws);
    tcase_add_test(tcase, when_the_guardian_dies_during_the_freeze_that_fails);
    tcase_add_test(tcase, when_the_guardian_dies_just_after_the_freeze_that_fails_too);
    tcase_add_test(tcase, an_agent_that_leaves_stops_freezing);
    tcase_add_test(tcase, a_freeze_that_hangs_is_given_up_at_the_deadline);
    tcase_add_test(tcase, a_list_that_hangs_is_given_up_at_the_deadline);
    tcase_add_test(tcase, where_a_former_guardian_still_works_nothing_is_frozen);
    tcase_add_test(tcase, an_expiry_during_the_thaw_counts);
    tcase_add_test(tcase, a_deadline_is_put_off_when_the_guardian_says_so);
    tcase_add_test(tcase, an_expiry_wins_over_what_was_not_answered);
    tcase_add_test(tcase, a_guardian_that_says_nothing_is_not_waited_for);
    tcase_add_test(tcase, nothing_is_put_off_during_a_freeze);
    tcase_add_test(tcase, the_report_says_what_was_done);
    tcase_add_test(tcase, the_phase_is_told);
    tcase_add_test(tcase, the_next_agent_adopts_the_guardian);
    tcase_add_test(tcase, the_next_agent_dismisses_a_guardian_of_nothing);
    tcase_add_test(tcase, the_next_agent_thaws_when_the_guardian_has_gone);
    tcase_add_test(tcase, the_next_agent_knows_whose_freeze_it_is);
    tcase_add_test(tcase, nor_does_it_stay_frozen_when_both_are_gone);
    tcase_add_test(tcase, without_a_deadline_the_next_agent_waits_as_upstreams);
    tcase_add_test(tcase, the_next_agent_makes_up_for_the_hook_of_an_expiry);
    tcase_add_test(tcase, a_holder_holds_from_the_hook_until_the_thaw);
    tcase_add_test(tcase, what_cannot_be_held_prevents_the_freeze);
    tcase_add_test(tcase, what_was_held_is_let_go_however_the_freeze_fails);
    tcase_add_test(tcase, what_was_not_held_until_the_thaw_is_reported);
    tcase_add_test(tcase, an_expiry_lets_go_as_well);
    tcase_add_test(tcase, a_holder_whose_freeze_does_not_begin_is_not_asked);
    tcase_add_test(tcase, the_next_agent_knows_that_nobody_held_on);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
