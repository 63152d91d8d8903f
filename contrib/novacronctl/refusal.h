/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why an agent would not run a command. */
#pragma once

#include "novacronctl/subcommand.h"

/* Find out, by asking the agent, why it answered CommandNotFound to `command`. Returns a
 * sentence, or NULL if it cannot be known. */
char *refusal_reason(QgaClient *client, const char *command);

/* Tell what is lost without `command`, and why it is not to be had. To people only: a script that
 * asks for nothing special misses nothing. */
void refusal_tell_loss(const Subcommand *subcommand, const char *command, const char *loss);
