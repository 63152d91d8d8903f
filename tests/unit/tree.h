/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of small files, such as sysfs would be. */
#pragma once

#include <glib.h>

/* Entries of the form "path", a folder, or "path=text", a file; what is above is made as well.
 * NULL ends them. Returns the folder's path, to be removed by tree_free(). */
char *tree_new(const char *const *entries);
void tree_free(char *folder);

/* The text of a file of it. */
char *tree_text(const char *folder, const char *path);
