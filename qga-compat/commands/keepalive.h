/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Somebody wants the deadline of a freeze put off, and waits for the guardian to say so. */
#pragma once

#include <glib.h>

/* The deadline that holds now (monotonic), or an error (transfer full): it came too late, or
 * nobody knows. */
typedef void (*GaFreezerKept)(gint64 deadline, GError *error, gpointer user_data);

typedef struct {
    gint64 deadline;
    GaFreezerKept kept; /* NULL: nobody waits */
    gpointer user_data;
    guint timer;
} GaKeepalive;

/* Nobody may wait yet. A guardian that says nothing for a second is an error. */
void ga_keepalive_begin(GaKeepalive *keepalive, gint64 deadline, GaFreezerKept kept,
                        gpointer user_data);
gboolean ga_keepalive_is_waiting(const GaKeepalive *keepalive);

/* The guardian has said which deadline it keeps. An earlier one than wanted is no answer: it was
 * said before the wish was heard. */
void ga_keepalive_hear(GaKeepalive *keepalive, gint64 deadline);

/* The freeze has ended: who waits, if anybody does, is told. */
void ga_keepalive_end(GaKeepalive *keepalive);

/* Nobody is told anything any more. */
void ga_keepalive_forget(GaKeepalive *keepalive);
