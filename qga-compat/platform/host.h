/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest as a whole. */
#pragma once

/* A word that is another one after every boot; NULL where the system has none. */
char *os_boot_id(void);
