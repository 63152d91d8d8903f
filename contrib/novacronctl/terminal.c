/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Most of it is about standard input: output may be a pipe. */
#include "novacronctl/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS 24

struct Terminal {
    gboolean is_raw;
    struct termios before;
};

Terminal *
terminal_make_raw(void)
{
    Terminal *terminal = g_new0(Terminal, 1);

    if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
        return terminal;
    struct termios raw = terminal->before;
    cfmakeraw(&raw);
    terminal->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    return terminal;
}

void
terminal_restore(Terminal *terminal)
{
    if (terminal && terminal->is_raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
    g_free(terminal);
}

guint16
terminal_columns(int fd)
{
    struct winsize size = { 0 };

    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void
terminal_size(guint16 *ret_columns, guint16 *ret_rows)
{
    struct winsize size = { 0 };

    gboolean is_known = ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *ret_columns = is_known ? size.ws_col : DEFAULT_COLUMNS;
    *ret_rows = is_known && size.ws_row > 0 ? size.ws_row : DEFAULT_ROWS;
}
