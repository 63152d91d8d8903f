/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems that cannot be written though they should. */
#pragma once

#include <glib.h>

/* From the text of a mountinfo file (proc(5)): mount points, in its order, at most `maximum`. With
 * *ret_root, whether the file system at "/" can be written at all. */
GPtrArray *read_only_find(const char *mountinfo, guint maximum, gboolean *ret_root);
