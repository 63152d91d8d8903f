/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /sys/power/state. It is written in place: there are no temporary files in sysfs, for want of
 * which qemu-ga 10 fails here.
 */
#include "linux/power-state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/qapi-error.h"

#define STATE_FILE "/sys/power/state"

/* All words that there are fit in. */
#define STATE_SIZE 32

static gboolean
is_known(const char *word)
{
    char words[STATE_SIZE] = "";
    gint fd = open(STATE_FILE, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return FALSE;
    gssize size = read(fd, words, sizeof words - 1);
    close(fd);
    return size > 0 && strstr(words, word);
}

static gboolean
write_word(const char *word)
{
    gint fd = open(STATE_FILE, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return FALSE;
    gssize written = write(fd, word, strlen(word));
    gint number = errno;
    close(fd);
    errno = number;
    return written >= 0;
}

gboolean
os_power_state_enter(const char *word, GError **error)
{
    if (!is_known(word))
        return FALSE;
    if (write_word(word))
        return TRUE;
    qapi_set_errno(error, errno, "suspend: cannot write to '" STATE_FILE "'");
    return FALSE;
}
