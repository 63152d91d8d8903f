/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-shutdown. The system's program does it, and usually the agent goes with the guest
 * before there is anything to answer.
 */
#include "commands/helper.h"
#include "core/agent.h"
#include "gen/guest-agent-commands.h"
#include "platform/power.h"
#include "runtime/qapi-error.h"

/* A service manager that ends everything does not spare the program that has asked for it, and
 * the agent is next: then there is no failure to tell of. */
#define FAILURE_DELAY_MS 500

typedef struct {
    GaCall *call;
    GError *error;
} Failure;

static gboolean
find_action(const char *mode, OsPowerAction *ret_action)
{
    static const char *const modes[] = {
        [OS_POWER_OFF] = "powerdown", [OS_POWER_HALT] = "halt", [OS_POWER_REBOOT] = "reboot"
    };

    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        if (g_str_equal(mode, modes[i])) {
            *ret_action = (OsPowerAction)i;
            return TRUE;
        }
    return FALSE;
}

static gboolean
tell_failure(gpointer user_data)
{
    Failure *failure = user_data;

    ga_call_fail(failure->call, g_steal_pointer(&failure->error));
    return G_SOURCE_REMOVE;
}

static void
failure_free(gpointer data)
{
    Failure *failure = data;

    g_clear_error(&failure->error);
    g_free(failure);
}

static void
done(GError *error, gpointer user_data)
{
    GaCall *call = user_data;

    if (!error) {
        guest_shutdown_return(call);
        return;
    }

    Failure *failure = g_new(Failure, 1);
    *failure = (Failure){ call, error };
    g_timeout_add_full(G_PRIORITY_DEFAULT, FAILURE_DELAY_MS, tell_failure, failure, failure_free);
}

void
guest_shutdown(GaCall *call, const GuestShutdownArgs *args)
{
    const char *mode = args->mode ? args->mode : "powerdown";
    GaHelperSpec spec = { .action = "shutdown" };
    OsPowerAction action;

    ga_account(ga_agent_account(ga_call_agent(call)), "guest-shutdown",
               "guest-shutdown called, mode: %s", args->mode ? args->mode : "(null)");
    if (!find_action(mode, &action)) {
        GError *error = NULL;

        /* Without the last parenthesis: upstream's text, which clients know. */
        qapi_set_error(&error, "mode is invalid (valid values are: halt|powerdown|reboot");
        ga_call_fail(call, error);
        return;
    }
    spec.argv = os_power_command(action);
    ga_helper_run(&spec, done, call);
}
