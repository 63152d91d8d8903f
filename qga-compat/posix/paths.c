/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places of distributions' qemu-ga, not of our own installation prefix: what
 * was configured for it must be found. Only our own programs are where they were installed.
 */
#include "platform/paths.h"

#include "build-config.h"
#include "platform/channel.h"

const GaPlaces os_places = {
    .config_file = "/etc/qemu/qemu-ga.conf",
    .pid_file = "/var/run/qemu-ga.pid",
    .state_directory = "/var/run",
    .data_directory = "/var/lib/novacron",
    .worker_directory = NOVACRON_WORKERS,
    .fsfreeze_hook = "/etc/qemu/fsfreeze-hook",
    .channel = os_channel_default_path,
};
