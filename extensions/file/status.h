/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stat(2) says, in the words of the schema. */
#pragma once

#include "gen/file.h"

struct stat;

NovacronFileType ga_file_type(guint mode);

/* "0644" */
char *ga_file_mode(guint mode);

gint64 ga_file_modified(const struct stat *status);

/* Another word after every change of the contents. */
char *ga_file_version(const struct stat *status);
