/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vigils. An answer of several writes counts as a small one: its length keeps the client busy. */
#include "posix/vigil.h"

void
os_vigil_received(OsVigil *vigil, gsize size, gint64 now)
{
    if (vigil->received == 0)
        vigil->is_quick = vigil->answered_at != 0 && now - vigil->answered_at <= OS_VIGIL_QUICK;
    vigil->received += size;
    vigil->until = vigil->is_quick ? now + OS_VIGIL_TIME : 0;
}

void
os_vigil_answered(OsVigil *vigil, gint64 now)
{
    vigil->answered_at = vigil->received >= OS_VIGIL_REQUEST ? now : 0;
    vigil->until = vigil->answered_at && vigil->is_quick ? now + OS_VIGIL_TIME : 0;
    vigil->received = 0;
}

gboolean
os_vigil_is_kept(const OsVigil *vigil, gint64 now)
{
    return now < vigil->until;
}
