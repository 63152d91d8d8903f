/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/process.h without processes: what "runs" is one function of the test. */
#pragma once

#include "platform/process.h"

#define FAKE_PROCESS_MISSING 1000
#define FAKE_PROCESS_KILLED 1001

/* What the program of a command line does: an exit code, or one of the above. */
typedef gint (*FakeProgram)(const char *command_line);

/* Also forgets all calls. */
void fake_process_set(FakeProgram program);

/* A line for each call: the command line, and `< INPUT` if there was any. */
const char *fake_process_calls(void);
