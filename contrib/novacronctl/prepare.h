/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "novacronctl/subcommand.h"

/* Have the guest's applications made ready for a freeze, which is given the job whose id this
 * returns, transfer full. NULL without an error: the agent has nothing of the kind. It is given up
 * when there is something to read from `signals`. */
char *prepare_apps(const Subcommand *subcommand, int signals, GError **error);
