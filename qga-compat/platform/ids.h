/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of accounts and groups. For a thread: it may ask a server, and wait for it. */
#pragma once

#include <glib.h>

/* FALSE: there is none of that name. */
gboolean os_user_id(const char *name, guint *ret_uid);
gboolean os_group_id(const char *name, guint *ret_gid);
