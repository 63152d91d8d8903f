/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built without liburing: the thread does it all. */
#include "platform/io.h"

OsIo *
os_io_uring_new(void)
{
    return NULL;
}
