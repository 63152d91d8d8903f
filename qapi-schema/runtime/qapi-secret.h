/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that has held a password. */
#pragma once

#include <glib.h>

/* Overwrite it. A plain memset() of memory that nobody reads any more would be left out by the
 * compiler. */
void qapi_secret_wipe(gpointer memory, gsize size);
