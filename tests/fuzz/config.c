/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any file: refused, or what --dump-conf makes of it means the same. Reading a list
 * turns it round, as upstream's does, so the second dump of a dump is compared.
 */
#include <string.h>

#include "core/config.h"
#include "fuzz.h"

/* What --dump-conf makes of a file, or NULL. */
static char *
dump(const char *text, gsize size)
{
    static const GaPlaces places = { "", "", "", "", NULL };
    static const GaProgram program = { "", "", "", &places, NULL };
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GaConfig) config = ga_config_new(&program);

    if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, NULL) ||
        !ga_config_read(config, file, NULL))
        return NULL;
    return ga_config_dump(config);
}

static char *
dump_again(const char *text)
{
    char *again = dump(text, strlen(text));

    g_assert_nonnull(again);
    return again;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *first = dump((const char *)data, size);

    /* GLib strips a leading form feed when it reads a value, and does not escape it before. */
    if (first && !strchr(first, '\f')) {
        g_autofree char *second = dump_again(first);
        g_autofree char *third = dump_again(second);
        g_assert_cmpstr(third, ==, first);
    }
    return 0;
}
