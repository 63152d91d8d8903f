/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test binary does with its one suite. */
#pragma once

#include <check.h>

/* Run the suite; the value is main()'s. A descriptor left open fails it. Without CK_FORK in the
 * environment the tests run in this process, where sanitizers and the count see what they leave. */
int run_suite(Suite *suite);
