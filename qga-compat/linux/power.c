/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs that switch the guest off. Since 10.2 upstream prefers the one that is made for
 * the purpose; shutdown(8) is for systems without.
 */
#include "platform/power.h"

#include <unistd.h>

static char *const special[][2] = {
    [OS_POWER_OFF] = { "/sbin/poweroff", NULL },
    [OS_POWER_HALT] = { "/sbin/halt", NULL },
    [OS_POWER_REBOOT] = { "/sbin/reboot", NULL },
};

static char *const general[][6] = {
    [OS_POWER_OFF] = { "/sbin/shutdown", "-h", "-P", "+0", "hypervisor initiated shutdown", NULL },
    [OS_POWER_HALT] = { "/sbin/shutdown", "-h", "-H", "+0", "hypervisor initiated shutdown", NULL },
    [OS_POWER_REBOOT] = { "/sbin/shutdown", "-h", "-r", "+0", "hypervisor initiated shutdown",
                          NULL },
};

char *const *
os_power_command(OsPowerAction action)
{
    return access(special[action][0], X_OK) == 0 ? special[action] : general[action];
}
