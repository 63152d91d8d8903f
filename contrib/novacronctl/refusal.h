/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why an agent would not run a command. */
#pragma once

#include "novacronctl/client.h"

/* Find out, by asking the agent, why it answered CommandNotFound to `command`. Returns a
 * sentence, or NULL if it cannot be known. */
char *refusal_reason(QgaClient *client, const char *command);
