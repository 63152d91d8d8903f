/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the start and the end of the agent have to do with frozen file systems. */
#pragma once

#include "core/agent.h"

/* An agent that starts in the frozen state looks for the guardian that its predecessor has left:
 * watches it, or thaws if there ought to be one. One that does not lets a guardian go that has
 * nothing to guard. Where a freeze has expired since, the thaw hook is made up for. */
void ga_freeze_resume(GaAgent *agent);

/* Call idle(), once, when no freeze or thaw is under way any more. FALSE: none is. */
gboolean ga_freeze_wait(GaAgent *agent, void (*idle)(gpointer owner), gpointer owner);

/* Whether file systems are frozen and will be thawed at their deadline also without the agent. */
gboolean ga_freeze_is_guarded(GaAgent *agent);
