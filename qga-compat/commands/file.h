/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients may take of the agent with guest-file-*. */
#pragma once

/* Handles open at a time: a client that forgets to close must not starve the agent. Each costs a
 * descriptor and a buffer of 4-8 KiB. Where the system allows fewer descriptors, it is fewer. */
#define GA_FILE_HANDLES_MAX 4096

/* Upstream's: larger answers would not fit into what clients accept. */
#define GA_FILE_READ_MAX (48 * 1024 * 1024)
#define GA_FILE_READ_DEFAULT 4096
