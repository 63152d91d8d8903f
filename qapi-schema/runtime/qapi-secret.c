/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets. */
#include "runtime/qapi-secret.h"

#include <string.h>

void
qapi_secret_wipe(gpointer memory, gsize size)
{
    if (size == 0)
        return;
    memset(memory, 0, size);
    /* Somebody might look at it here, as far as the compiler knows. */
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}
