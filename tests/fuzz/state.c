/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any state file: refused, or the counter is one of 32 bits. */
#include "core/persist.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    if (g_key_file_load_from_data(file, (const char *)data, size, G_KEY_FILE_NONE, NULL)) {
        gint64 counter = ga_persist_read_counter(file);
        g_assert_true(counter >= G_MININT32 && counter <= G_MAXINT32);
    }
    return 0;
}
