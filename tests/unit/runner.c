/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner counts descriptors around all tests, not around each: the names
 * of what was leaked are printed, which tells enough.
 */
#include "runner.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far more than a test has open at a time; descriptors are handed out lowest first. */
#define WATCHED_DESCRIPTORS 1024

static void
list_descriptors(gboolean *is_open)
{
    for (int fd = 0; fd < WATCHED_DESCRIPTORS; fd++)
        is_open[fd] = fcntl(fd, F_GETFD) != -1;
}

static int
report_leaks(const gboolean *was_open)
{
    gboolean is_open[WATCHED_DESCRIPTORS];
    int n_leaks = 0;

    list_descriptors(is_open);
    for (int fd = 0; fd < WATCHED_DESCRIPTORS; fd++) {
        if (!is_open[fd] || was_open[fd])
            continue;
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
        g_autofree char *target = g_file_read_link(link, NULL);
        fprintf(stderr, "left open: descriptor %d (%s)\n", fd, target ? target : "?");
        n_leaks++;
    }
    return n_leaks;
}

int
run_suite(Suite *suite)
{
    gboolean was_open[WATCHED_DESCRIPTORS];
    SRunner *runner = srunner_create(suite);

    if (!g_getenv("CK_FORK"))
        srunner_set_fork_status(runner, CK_NOFORK);
    g_main_context_default(); /* opens a descriptor once, for the life of the process */
    list_descriptors(was_open);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed + report_leaks(was_open) ? EXIT_FAILURE : EXIT_SUCCESS;
}
