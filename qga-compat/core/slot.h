/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a family of commands keeps its memory between calls. A slot is opened at
 * first use and closed, in reverse order, when the agent goes. Its address is
 * its key: there is nothing to register.
 */
#pragma once

#include <glib.h>

typedef struct GaAgent GaAgent;

typedef struct {
    const char *name; /* for logs */
    gpointer (*open)(GaAgent *agent);
    void (*close)(gpointer state);
} GaSlot;
