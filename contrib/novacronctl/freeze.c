/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezes for as long as a command of this machine (a snapshot) takes, or a
 * number of seconds, and thaws whatever happens: when the time is over, when
 * the command fails, when we are told to stop. Only who kills us outright
 * leaves the guest frozen, until its own deadline: with novacron-quiesce-* we
 * set one, and the guest tells what the freeze was worth. Applications that its
 * agent can make ready are made so before, which may take its time.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "novacronctl/output.h"
#include "novacronctl/prepare.h"
#include "novacronctl/refusal.h"
#include "novacronctl/signals.h"
#include "novacronctl/subcommand.h"
#include "runtime/qapi-error.h"

#define DEFAULT_SECONDS 30
#define TURN_MS 100
/* The guest's own deadline is so much behind ours. */
#define MARGIN_MS 2000
#define ERASE_LINE "\r\033[K"

typedef struct {
    const Subcommand *subcommand;
    int signals;
    char *token; /* of the freeze; NULL: the agent's freezes have none */
    gint64 deadline;
    gboolean is_shown;
    GPid child; /* 0: none, or it has ended */
    int status; /* of the child */
    gboolean was_late;
    gboolean was_told;
} Freeze;

/* With a deadline in the guest as well, if its agent has that. Returns how many file systems, or
 * -1. */
static gint64
freeze(Freeze *state, const char *job, gdouble seconds, GError **error)
{
    g_autofree char *own_job = g_strdup(job);
    const NovacronQuiesceFreezeArgs args = {
        .has_deadline_ms = TRUE,
        .deadline_ms = (guint32)MIN(seconds * 1000 + MARGIN_MS, (gdouble)G_MAXUINT32),
        .job = own_job,
    };
    QgaClient *client = state->subcommand->client;
    g_autoptr(NovacronQuiesceFreeze) begun = NULL;
    g_autoptr(GError) local = NULL;
    gint64 count;

    if (qga_novacron_quiesce_freeze(client, &args, &begun, &local)) {
        state->token = g_strdup(begun->token);
        return begun->file_systems;
    }
    gboolean is_absent = g_error_matches(local, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND);
    if (is_absent) {
        g_clear_error(&local);
        refusal_tell_loss(state->subcommand, "novacron-quiesce-freeze",
                          "without novacron-quiesce: the guest has no deadline of this freeze, "
                          "and thaws\nby itself only at the one of its configuration, if any.");
    }
    if (is_absent && qga_guest_fsfreeze_freeze(client, &count, &local))
        return count;
    if (local->domain == QGA_CLIENT_ERROR)
        g_prefix_error(&local, "the guest may be frozen now or in a while (novacronctl thaw): ");
    g_propagate_error(error, g_steal_pointer(&local));
    return -1;
}

/* What goes on after `file system`. */
static const char *
be(gint64 count)
{
    return count == 1 ? " is" : "s are";
}

static void
show_countdown(const Freeze *freeze, gint64 count)
{
    gint64 left = freeze->deadline - g_get_monotonic_time();

    if (freeze->is_shown)
        fprintf(stderr, ERASE_LINE "%" G_GINT64_FORMAT " file system%s frozen; thaw in %.1f s ",
                count, be(count), (gdouble)MAX(left, 0) / G_USEC_PER_SEC);
}

static void
reap(Freeze *freeze)
{
    if (freeze->child && waitpid(freeze->child, &freeze->status, WNOHANG) == freeze->child) {
        g_spawn_close_pid(freeze->child);
        freeze->child = 0;
    }
}

/* Until it is time to thaw. */
static void
stay_frozen(Freeze *freeze, gint64 count)
{
    gboolean has_child = freeze->child != 0;
    GPollFD fd = { .fd = freeze->signals, .events = G_IO_IN };

    while (!freeze->was_told && !freeze->was_late) {
        show_countdown(freeze, count);
        freeze->was_told = g_poll(&fd, 1, TURN_MS) > 0;
        freeze->was_late = g_get_monotonic_time() >= freeze->deadline;
        reap(freeze);
        if (has_child && !freeze->child)
            break;
    }
    if (freeze->is_shown)
        fputs(ERASE_LINE, stderr);
}

/* In the child: it shall end as programs do. */
static void
unblock_signals(gpointer data)
{
    sigset_t none;

    (void)data;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* With no words, there is nothing to start. */
static gboolean
start_command(Freeze *freeze, const char *const *words, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; words[i]; i++)
        g_ptr_array_add(argv, g_strdup(words[i]));
    g_ptr_array_add(argv, NULL);
    return !words[0] || g_spawn_async(NULL, (char **)argv->pdata, NULL,
                                      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                          G_SPAWN_CHILD_INHERITS_STDIN,
                                      unblock_signals, NULL, &freeze->child, error);
}

static gint64
fail_verdict(const char *verdict, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "%s: a snapshot of this time is not consistent", verdict);
    return -1;
}

/* The guest itself knows what the freeze was worth. */
static gint64
thaw_with_verdict(const Freeze *freeze, GError **error)
{
    static const char *const verdicts[] = {
        [NOVACRON_QUIESCE_VERDICT_EXPIRED] = "the guest has thawed at its deadline",
        [NOVACRON_QUIESCE_VERDICT_THAWED_BY_OTHER] = "something else has thawed the guest",
        [NOVACRON_QUIESCE_VERDICT_HOOK_FAILED] = "the guest's freeze hook has failed at the thaw",
        [NOVACRON_QUIESCE_VERDICT_APPLICATION_FAILED] = "an application was not held to the end",
    };
    const NovacronQuiesceThawArgs args = { .token = freeze->token };
    g_autoptr(NovacronQuiesceThaw) thaw = NULL;

    if (!qga_novacron_quiesce_thaw(freeze->subcommand->client, &args, &thaw, error))
        return -1;
    if (thaw->verdict != NOVACRON_QUIESCE_VERDICT_CONSISTENT)
        return fail_verdict(verdicts[thaw->verdict], error);
    return thaw->has_thawed ? thaw->thawed : thaw->file_systems;
}

/* -1 if the guest was not frozen to the end: then a snapshot is worth nothing. */
static gint64
thaw(const Freeze *freeze, GError **error)
{
    GuestFsfreezeStatus status = GUEST_FSFREEZE_STATUS_FROZEN;
    gint64 count;

    if (freeze->token)
        return thaw_with_verdict(freeze, error);
    if (!qga_guest_fsfreeze_status(freeze->subcommand->client, &status, error) ||
        !qga_guest_fsfreeze_thaw(freeze->subcommand->client, &count, error))
        return -1;
    return status == GUEST_FSFREEZE_STATUS_FROZEN
               ? count
               : fail_verdict("the guest has thawed before", error);
}

static int
judge(const Freeze *freeze, gboolean has_command, GError **error)
{
    if (has_command && freeze->child) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "thawed while the command still runs: what it does is not consistent");
        return -1;
    }
    if (has_command)
        return WIFEXITED(freeze->status) ? WEXITSTATUS(freeze->status)
                                         : 128 + WTERMSIG(freeze->status);
    return EXIT_SUCCESS;
}

static int
hold(Freeze *state, gint64 count, gdouble seconds, GError **error)
{
    const Subcommand *subcommand = state->subcommand;
    g_autoptr(GError) problem = NULL;

    state->deadline = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
    if (start_command(state, subcommand->words, &problem))
        stay_frozen(state, count);

    gint64 thawed = thaw(state, error);
    if (thawed < 0)
        return -1;
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return -1;
    }
    if (!subcommand->options->as_json && !subcommand->options->quiet)
        fprintf(stderr, "%" G_GINT64_FORMAT " file system%s thawed.\n", thawed, be(thawed));
    return judge(state, subcommand->words[0] != NULL, error);
}

int
freeze_run(const Subcommand *subcommand, GError **error)
{
    static const int numbers[] = { SIGHUP, SIGINT, SIGTERM, 0 };
    gdouble seconds = subcommand->options->seconds;
    Freeze state = { .subcommand = subcommand, .is_shown = isatty(STDERR_FILENO) != 0 };

    if (seconds <= 0)
        seconds = DEFAULT_SECONDS;
    state.signals = signals_open(numbers, error);
    if (state.signals < 0)
        return -1;

    g_autoptr(GError) local = NULL;
    g_autofree char *job = prepare_apps(subcommand, state.signals, &local);
    gint64 count = local ? -1 : freeze(&state, job, seconds, &local);
    int status = count < 0 ? -1 : hold(&state, count, seconds, &local);
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    g_free(state.token);
    return status;
}

int
freeze_thaw(const Subcommand *subcommand, GError **error)
{
    gint64 count;

    if (!qga_guest_fsfreeze_thaw(subcommand->client, &count, error))
        return -1;
    if (subcommand->options->as_json)
        output_result(&qapi_type_int64, &count);
    else
        printf("%" G_GINT64_FORMAT " file system%s thawed.\n", count, be(count));
    return EXIT_SUCCESS;
}
