/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libFuzzer, and main.c in its place, calls with each input. Returns 0; a bug aborts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
