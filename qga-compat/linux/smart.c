/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The health log of an NVMe disk: log page 02h of the NVM Express base specification. */
#include "linux/smart.h"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GET_LOG_PAGE 0x02
#define HEALTH_LOG 0x02
#define ALL_NAMESPACES 0xFFFFFFFF
#define RETAIN_ASYNCHRONOUS_EVENT 0x8000 /* reading must not take a warning away from others */

/* Where the log has the 128-bit counters. */
#define COUNTERS 32

/* Of a counter, the lower half; the upper one is the next member. */
static const guint16 counters[] = {
    offsetof(GuestNVMeSmart, data_units_read_lo),
    offsetof(GuestNVMeSmart, data_units_written_lo),
    offsetof(GuestNVMeSmart, host_read_commands_lo),
    offsetof(GuestNVMeSmart, host_write_commands_lo),
    offsetof(GuestNVMeSmart, controller_busy_time_lo),
    offsetof(GuestNVMeSmart, power_cycles_lo),
    offsetof(GuestNVMeSmart, power_on_hours_lo),
    offsetof(GuestNVMeSmart, unsafe_shutdowns_lo),
    offsetof(GuestNVMeSmart, media_errors_lo),
    offsetof(GuestNVMeSmart, number_of_error_log_entries_lo),
};

void
os_smart_parse_nvme(const guint8 *log, GuestNVMeSmart *ret_smart)
{
    *ret_smart = (GuestNVMeSmart){
        .critical_warning = log[0],
        .temperature = log[1] | log[2] << 8,
        .available_spare = log[3],
        .available_spare_threshold = log[4],
        .percentage_used = log[5],
    };
    for (guint i = 0; i < G_N_ELEMENTS(counters); i++) {
        guint64 halves[2];
        memcpy(halves, log + COUNTERS + i * sizeof halves, sizeof halves);
        guint64 *counter = G_STRUCT_MEMBER_P(ret_smart, counters[i]);
        counter[0] = GUINT64_FROM_LE(halves[0]);
        counter[1] = GUINT64_FROM_LE(halves[1]);
    }
}

static gboolean
read_log(gint fd, guint8 *log)
{
    struct nvme_admin_cmd command = {
        .opcode = GET_LOG_PAGE,
        .nsid = ALL_NAMESPACES,
        .addr = (guintptr)log,
        .data_len = OS_SMART_NVME_LOG_SIZE,
        .cdw10 = HEALTH_LOG | RETAIN_ASYNCHRONOUS_EVENT | (OS_SMART_NVME_LOG_SIZE / 4 - 1) << 16,
    };

    return ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command) == 0;
}

GuestDiskSmart *
os_smart_ask_nvme(const char *node)
{
    guint8 log[OS_SMART_NVME_LOG_SIZE] = { 0 };
    gint fd = open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;

    gboolean is_read = read_log(fd, log);
    close(fd);
    if (!is_read)
        return NULL;

    GuestDiskSmart *smart = g_new0(GuestDiskSmart, 1);
    smart->type = GUEST_DISK_BUS_TYPE_NVME;
    os_smart_parse_nvme(log, &smart->u.nvme);
    return smart;
}
