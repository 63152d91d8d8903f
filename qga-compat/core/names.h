/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of command names: a vector that ends with NULL (g_strfreev() frees it) and grows. */
#pragma once

#include <glib.h>

/* Append names separated by commas, backwards, as upstream does; empty ones too, if there is any
 * text at all. */
void ga_names_append(char ***names, const char *text);

/* Insert there those of the names separated by commas that the list lacks. Empty names and blanks
 * around names are passed over. */
void ga_names_insert_missing(char ***names, gsize position, const char *text);
