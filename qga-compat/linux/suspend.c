/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-suspend-*: systemd, else the pm-utils, else the kernel. The first two are asked whether
 * they can before they are told to, and only exit codes count; the programs are heard and seen by
 * nobody.
 *
 * What surprises, all of it upstream's: systemctl's answer to `status` means that it can suspend
 * if the service is not active but known (1, 2, 3); a program that dies of a signal has exit code
 * 0; and if a way was there but failed, and no other one is, that is not an error.
 */
#include "core/call.h"
#include "core/task.h"
#include "gen/guest-agent-commands.h"
#include "linux/power-state.h"
#include "platform/process.h"
#include "runtime/qapi-error.h"

typedef struct {
    /* Questions and, each behind its own, the actions. */
    char *const programs[4][4];
    const char *word; /* of the kernel; NULL: it has none */
    void (*settle)(GaCall *call);
} Mode;

typedef struct {
    GaCall *call;
    const Mode *mode;
    guint n; /* of the program that runs or is next */
    OsProcess *process;
    gboolean was_possible; /* some way said so of itself */
    gboolean is_done;
    GError *error;
} Suspend;

static void
settle(Suspend *suspend)
{
    GError *error = g_steal_pointer(&suspend->error);

    if (!error && !suspend->is_done && !suspend->was_possible)
        qapi_set_error(&error, "the requested suspend mode is not supported by the guest");
    else if (!error && !suspend->is_done && !suspend->mode->word)
        qapi_set_error(&error, "unknown guest suspend mode");

    if (error)
        ga_call_fail(suspend->call, error);
    else
        suspend->mode->settle(suspend->call);
    g_free(suspend);
}

static void
enter(gpointer data)
{
    Suspend *suspend = data;

    suspend->is_done = os_power_state_enter(suspend->mode->word, &suspend->error);
}

static void
entered(gpointer data)
{
    settle(data);
}

static gboolean
is_question(guint n)
{
    return n % 2 == 0;
}

static gboolean
is_possible(guint question, gint64 code)
{
    return question == 0 ? code >= 1 && code <= 3 : code == 0;
}

static void run_next(Suspend *suspend);

static void
ended(gpointer owner, OsProcessStatus status)
{
    Suspend *suspend = owner;
    gint64 code = status.is_signalled ? 0 : status.code;

    g_clear_pointer(&suspend->process, os_process_free);
    if (!is_question(suspend->n)) {
        suspend->is_done = code == 0;
        suspend->n++;
    } else if (is_possible(suspend->n, code)) {
        suspend->was_possible = TRUE;
        suspend->n++;
    } else {
        suspend->n += 2;
    }
    run_next(suspend);
}

static const OsProcessEvents events = { .ended = ended };

/* A program that is missing says no. */
static void
run_next(Suspend *suspend)
{
    while (!suspend->is_done && suspend->n < G_N_ELEMENTS(suspend->mode->programs)) {
        OsProcessSpec spec = { .argv = suspend->mode->programs[suspend->n] };
        g_autoptr(GError) error = NULL;

        suspend->process = os_process_start(&spec, &events, suspend, &error);
        if (suspend->process)
            return;
        g_debug("%s", error->message);
        suspend->n += is_question(suspend->n) ? 2 : 1;
    }
    if (suspend->is_done || !suspend->mode->word)
        settle(suspend);
    else
        ga_task_run(enter, entered, suspend);
}

static void
start(GaCall *call, const Mode *mode)
{
    Suspend *suspend = g_new0(Suspend, 1);

    suspend->call = call;
    suspend->mode = mode;
    run_next(suspend);
}

void
guest_suspend_disk(GaCall *call)
{
    static const Mode mode = {
        { { "systemctl", "status", "systemd-hibernate" },
          { "systemctl", "hibernate" },
          { "pm-is-supported", "--hibernate" },
          { "pm-hibernate" } },
        "disk",
        guest_suspend_disk_return,
    };

    start(call, &mode);
}

void
guest_suspend_ram(GaCall *call)
{
    static const Mode mode = {
        { { "systemctl", "status", "systemd-suspend" },
          { "systemctl", "suspend" },
          { "pm-is-supported", "--suspend" },
          { "pm-suspend" } },
        "mem",
        guest_suspend_ram_return,
    };

    start(call, &mode);
}

void
guest_suspend_hybrid(GaCall *call)
{
    static const Mode mode = {
        { { "systemctl", "status", "systemd-hybrid-sleep" },
          { "systemctl", "hybrid-sleep" },
          { "pm-is-supported", "--suspend-hybrid" },
          { "pm-suspend-hybrid" } },
        NULL,
        guest_suspend_hybrid_return,
    };

    start(call, &mode);
}
