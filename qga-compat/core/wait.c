/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits: a timer and the call's look-out for its client. */
#include "core/wait.h"

#include "core/bounds.h"
#include "core/session.h"

struct GaWait {
    GaCall *call;
    GaWaitOver over;
    gpointer user_data;
    guint timer;
};

void
ga_wait_free(GaWait *wait)
{
    if (!wait)
        return;
    if (wait->timer)
        g_source_remove(wait->timer);
    ga_call_look_out(wait->call, NULL, NULL);
    g_free(wait);
}

static gboolean
on_time(gpointer user_data)
{
    GaWait *wait = user_data;
    GaCall *call = wait->call;
    GaWaitOver over = wait->over;
    gpointer over_data = wait->user_data;

    wait->timer = 0;
    ga_wait_free(wait);
    over(call, over_data);
    return G_SOURCE_REMOVE;
}

void
ga_wait_end(GaWait *wait)
{
    g_source_remove(wait->timer);
    wait->timer = g_idle_add_full(G_PRIORITY_DEFAULT, on_time, wait, NULL);
}

static void
on_client(gpointer user_data)
{
    ga_wait_end(user_data);
}

GaWait *
ga_wait_new(GaCall *call, guint ms, GaWaitOver over, gpointer user_data)
{
    GaWait *wait = g_new(GaWait, 1);
    guint maximum = ga_session_is_shared(ga_call_session(call)) ? GA_WAIT_SHARED_MS
                                                                : GA_WAIT_OWN_MS;

    *wait = (GaWait){ call, over, user_data, 0 };
    wait->timer = g_timeout_add(MIN(ms, maximum), on_time, wait);
    ga_call_look_out(call, on_client, wait);
    return wait;
}
