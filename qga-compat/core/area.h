/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an area of extension commands says of itself: who does its work on this
 * guest, or why nobody can. Each extension folder defines the probe of its area, whose
 * prototype the generator declares; one that needs nothing leaves the report as it is.
 */
#pragma once

#include <glib.h>

typedef enum {
    GA_AREA_AVAILABLE,
    GA_AREA_NOT_BUILT,
    GA_AREA_KERNEL_TOO_OLD,
    GA_AREA_MISSING_PROGRAM,
    GA_AREA_MISSING_DEVICE,
    GA_AREA_NO_PERMISSION,
    GA_AREA_PLATFORM,
} GaAreaState;

struct GaAreaReport {
    GaAreaState state;
    char *provider; /* owned by the report, as the next one; NULL: nothing to choose from */
    char *details;  /* what is missing, for people */
};
