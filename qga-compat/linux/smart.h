/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a disk says about its own health. */
#pragma once

#include "gen/guest-agent.h"

/* Ask the NVMe disk with this node. NULL if it does not tell. May wait for the disk. */
GuestDiskSmart *os_smart_ask_nvme(const char *node);

/* Bytes of log page 02h, and what they mean. */
#define OS_SMART_NVME_LOG_SIZE 512
void os_smart_parse_nvme(const guint8 *log, GuestNVMeSmart *ret_smart);
