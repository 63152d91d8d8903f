/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/keepalive.h"

#include "core/refusal.h"

/* For the guardian to answer. It wants a few microseconds. */
#define SILENCE_MS 1000

/* Whoever is told may begin another. */
static void
answer(GaKeepalive *keepalive, gint64 deadline, GError *error)
{
    GaKeepalive waiting = *keepalive;

    ga_keepalive_forget(keepalive);
    waiting.kept(deadline, error, waiting.user_data);
}

static gboolean
on_silence(gpointer user_data)
{
    GaKeepalive *keepalive = user_data;
    GError *error = NULL;

    keepalive->timer = 0;
    ga_refuse(&error, GA_REFUSAL_TIMEOUT,
              "the guardian does not answer: the old deadline holds, or the new one");
    answer(keepalive, 0, error);
    return G_SOURCE_REMOVE;
}

void
ga_keepalive_begin(GaKeepalive *keepalive, gint64 deadline, GaFreezerKept kept, gpointer user_data)
{
    *keepalive = (GaKeepalive){ deadline, kept, user_data,
                                g_timeout_add(SILENCE_MS, on_silence, keepalive) };
}

gboolean
ga_keepalive_is_waiting(const GaKeepalive *keepalive)
{
    return keepalive->kept != NULL;
}

void
ga_keepalive_hear(GaKeepalive *keepalive, gint64 deadline)
{
    if (keepalive->kept && deadline >= keepalive->deadline)
        answer(keepalive, deadline, NULL);
}

void
ga_keepalive_end(GaKeepalive *keepalive)
{
    GError *error = NULL;

    if (!keepalive->kept)
        return;
    ga_refuse(&error, GA_REFUSAL_NOT_FOUND, "the freeze has ended before this");
    answer(keepalive, 0, error);
}

void
ga_keepalive_forget(GaKeepalive *keepalive)
{
    if (keepalive->timer)
        g_source_remove(keepalive->timer);
    *keepalive = (GaKeepalive){ .kept = NULL };
}
