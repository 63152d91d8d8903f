/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's random number of this boot, as text. */
#include <glib.h>

#include "platform/host.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

char *
os_boot_id(void)
{
    char *text;

    if (!g_file_get_contents(BOOT_ID_FILE, &text, NULL, NULL))
        return NULL;
    return g_strstrip(text);
}
