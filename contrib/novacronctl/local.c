/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Within the guest, a session on a unix socket reaches the agent whose port the
 * host holds: whoever may run a program in the guest (qm guest exec, KubeVirt)
 * has all of it, without the host knowing more than guest-exec.
 */
#include <string.h>

#include "novacronctl/channel.h"
#include "novacronctl/client.h"

#define METHOD "unix-listen:"

char *
local_session(const char *file, GError **error)
{
    g_autoptr(GKeyFile) configuration = g_key_file_new();
    g_autoptr(GError) local = NULL;

    if (!g_key_file_load_from_file(configuration, file, G_KEY_FILE_NONE, &local)) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CONNECT,
                    "cannot read the agent's configuration %s: %s", file, local->message);
        return NULL;
    }
    g_auto(GStrv)
        sessions = g_key_file_get_string_list(configuration, "novacron", "sessions", NULL, NULL);
    for (guint i = 0; sessions && sessions[i]; i++)
        if (g_str_has_prefix(sessions[i], METHOD))
            return g_strdup(sessions[i] + strlen(METHOD));

    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_CONNECT,
                "%s names no session on a unix socket.\n"
                "Give the agent one and restart it:\n"
                "  [novacron]\n"
                "  sessions=unix-listen:/run/novacron.sock",
                file);
    return NULL;
}
