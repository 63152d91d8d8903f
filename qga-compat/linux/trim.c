/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-fstrim: all file systems are asked, whether or not their disks can
 * discard: the kernel knows, and its answer is told. It may take minutes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/agent.h"
#include "core/call.h"
#include "core/task.h"
#include "gen/guest-agent-commands.h"
#include "linux/mounts.h"

typedef struct {
    GaCall *call;
    gint64 minimum;
    OsMounts *mounts; /* NULL on error */
    GuestFilesystemTrimResponse *response;
    GError *error;
} Trim;

static GuestFilesystemTrimResult *
trim_one(const char *directory, gint64 minimum)
{
    GuestFilesystemTrimResult *result = g_new0(GuestFilesystemTrimResult, 1);
    struct fstrim_range range = { .len = G_MAXUINT64, .minlen = (guint64)minimum };

    result->path = g_strdup(directory);
    gint fd = open(directory, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        result->error = g_strdup_printf("failed to open: %s", g_strerror(errno));
        return result;
    }

    gint number = ioctl(fd, FITRIM, &range) == 0 ? 0 : errno;
    close(fd);
    if (number == ENOTTY || number == EOPNOTSUPP) {
        result->error = g_strdup("trim not supported");
    } else if (number) {
        result->error = g_strdup_printf("failed to trim: %s", g_strerror(number));
    } else {
        result->has_trimmed = result->has_minimum = TRUE;
        result->trimmed = (gint64)range.len;
        result->minimum = (gint64)range.minlen;
    }
    return result;
}

static void
trim_all(gpointer data)
{
    Trim *trim = data;

    trim->mounts = os_mounts_read(&trim->error);
    if (!trim->mounts)
        return;

    trim->response = g_new0(GuestFilesystemTrimResponse, 1);
    trim->response->paths = g_ptr_array_new();
    for (guint i = trim->mounts->list->len; i-- > 0;) {
        const OsMount *mount = trim->mounts->list->pdata[i];
        g_ptr_array_add(trim->response->paths, trim_one(mount->directory, trim->minimum));
    }
}

static void
trimmed(gpointer data)
{
    Trim *trim = data;
    GaAccount *account = ga_agent_account(ga_call_agent(trim->call));

    if (trim->error) {
        ga_call_fail(trim->call, trim->error);
    } else {
        os_mounts_account(trim->mounts, account, "guest-fstrim");
        ga_call_return_full(trim->call, trim->response);
    }
    os_mounts_free(trim->mounts);
    g_free(trim);
}

void
guest_fstrim(GaCall *call, const GuestFstrimArgs *args)
{
    Trim *trim = g_new0(Trim, 1);

    ga_account(ga_agent_account(ga_call_agent(call)), "guest-fstrim", "guest-fstrim called");
    trim->call = call;
    trim->minimum = args->has_minimum ? args->minimum : 0;
    ga_task_run(trim_all, trimmed, trim);
}
