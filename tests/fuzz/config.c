/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any file: refused, or what --dump-conf makes of it is read back without complaint. */
#include "core/config.h"
#include "fuzz.h"

static GaConfig *
read_config(const char *text, gsize size)
{
    static const GaPlaces places = { "", "", "", "", NULL };
    static const GaProgram program = { "", "", "", &places, NULL };
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GaConfig) config = ga_config_new(&program);

    if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, NULL) ||
        !ga_config_read(config, file, NULL))
        return NULL;
    return g_steal_pointer(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GaConfig) config = read_config((const char *)data, size);

    if (config) {
        g_autofree char *text = ga_config_dump(config);
        g_autoptr(GaConfig) again = read_config(text, strlen(text));
        g_assert_nonnull(again);
    }
    return 0;
}
