/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounting. A command's window opens with its first line and lasts a second; a
 * timer runs only if something was suppressed in it, so that an idle agent sleeps.
 */
#include "core/account.h"

/* A line is cut here: paths and arguments may be as long as a request. */
#define LINE_SIZE 8192

typedef struct {
    GaAccount *account;
    const char *command;
    gint64 begin; /* monotonic */
    guint n_lines;
    guint n_suppressed;
    guint timer; /* ends the window; 0: not needed */
} Window;

struct GaAccount {
    const GaAccountSink *functions;
    gpointer sink;
    GHashTable *windows; /* command, by address → Window: as many as there are commands */
    gboolean is_muted;
};

static void
window_free(gpointer data)
{
    Window *window = data;

    if (window->timer)
        g_source_remove(window->timer);
    g_free(window);
}

GaAccount *
ga_account_new(const GaAccountSink *functions, gpointer sink)
{
    GaAccount *account = g_new0(GaAccount, 1);

    account->functions = functions;
    account->sink = sink;
    account->windows = g_hash_table_new_full(NULL, NULL, NULL, window_free);
    return account;
}

void
ga_account_free(GaAccount *account)
{
    if (!account)
        return;
    g_hash_table_destroy(account->windows);
    account->functions->free(account->sink);
    g_free(account);
}

void
ga_account_set_muted(GaAccount *account, gboolean is_muted)
{
    if (account)
        account->is_muted = is_muted;
}

static G_GNUC_PRINTF(2, 0) void write_line(GaAccount *account, const char *format,
                                           va_list arguments)
{
    char line[LINE_SIZE] = "info: ";
    gsize prefix = sizeof "info: " - 1;

    g_vsnprintf(line + prefix, sizeof line - prefix, format, arguments);
    account->functions->write(account->sink, line);
}

static G_GNUC_PRINTF(2, 3) void tell(GaAccount *account, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(account, format, arguments);
    va_end(arguments);
}

static gboolean
end_window(gpointer user_data)
{
    Window *window = user_data;

    if (!window->account->is_muted)
        tell(window->account, "%s: %u suppressed", window->command, window->n_suppressed);
    window->n_lines = window->n_suppressed = window->timer = 0;
    return G_SOURCE_REMOVE;
}

static Window *
window_of(GaAccount *account, const char *command)
{
    Window *window = g_hash_table_lookup(account->windows, command);

    if (!window) {
        window = g_new0(Window, 1);
        window->account = account;
        window->command = command;
        g_hash_table_insert(account->windows, (gpointer)(guintptr)command, window);
    }
    return window;
}

static gboolean
passes(Window *window)
{
    gint64 now = g_get_monotonic_time();

    if (window->timer == 0 && now - window->begin >= G_USEC_PER_SEC)
        window->n_lines = 0;
    if (window->n_lines == 0)
        window->begin = now;

    if (window->n_lines < GA_ACCOUNT_LINES_PER_SECOND) {
        window->n_lines++;
        return TRUE;
    }
    if (window->n_suppressed++ == 0) {
        gint64 left = window->begin + G_USEC_PER_SEC - now;
        window->timer = g_timeout_add(left / 1000 + 1, end_window, window);
    }
    return FALSE;
}

void
ga_account(GaAccount *account, const char *command, const char *format, ...)
{
    va_list arguments;

    if (!account || account->is_muted || !passes(window_of(account, command)))
        return;
    va_start(arguments, format);
    write_line(account, format, arguments);
    va_end(arguments);
}
