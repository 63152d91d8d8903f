/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where this operating system keeps the agent's files. */
#pragma once

#include "core/config.h"

extern const GaPlaces os_places;
