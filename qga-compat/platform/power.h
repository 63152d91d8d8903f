/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the guest is switched off. */
#pragma once

#include <glib.h>

typedef enum { OS_POWER_OFF, OS_POWER_HALT, OS_POWER_REBOOT } OsPowerAction;

/* The command line that does it, NULL-terminated, with the program's whole path. It lives for
 * ever. */
char *const *os_power_command(OsPowerAction action);
