/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quiescing file systems. What may wait is for a thread, and takes values and returns
 * values.
 */
#pragma once

#include <glib.h>

typedef struct GaAccount GaAccount;

/* File systems, open, in the order in which they can be frozen without a deadlock. */
typedef struct OsFreeze OsFreeze;

/* For a thread: those of `only` (of char *), or all (NULL). Only what keeps the list from being
 * made is an error; a file system that cannot be opened is found when it is to be frozen. */
OsFreeze *os_freeze_open(const GPtrArray *only, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void os_freeze_free(OsFreeze *freeze);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsFreeze, os_freeze_free)

/* Log what was odd about the list. */
void os_freeze_account(const OsFreeze *freeze, GaAccount *account, const char *command);

/* For a thread: sync and freeze them, until `deadline` (monotonic; 0: none) or os_freeze_stop(),
 * whose coming too late for all of them is an error. Returns how many it has frozen; -1 on error,
 * and then some may be. */
gint64 os_freeze_run(OsFreeze *freeze, gint64 deadline, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One of them. */
typedef struct {
    char *device; /* mostly the node */
    char *directory;
    char *type;
    gboolean is_frozen;
    gint64 took; /* microseconds in the freeze itself; 0: not tried */
} OsFrozen;

void os_frozen_free(OsFrozen *frozen);

/* After os_freeze_run(): of OsFrozen, which are freed with it. */
GPtrArray *os_freeze_list(const OsFreeze *freeze);

/* From any thread: freeze no more. */
void os_freeze_stop(OsFreeze *freeze);

/* For a thread: thaw every file system of the machine that is frozen. Returns how many; -1 on
 * error, when nothing could be tried. */
gint64 os_thaw(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The guardian: a process that thaws at the deadline, whatever becomes of the agent. At the
 * deadline, or told to end by the system, it thaws, turns the mark of the freeze into the note
 * that it has expired (core/persist.h), and leaves. It outlives the agent, and the next agent
 * finds it.
 */
typedef struct OsGuardian OsGuardian;

/* From the main loop. */
typedef struct {
    /* Once: it has thawed by itself, or it has gone and nobody guards. The object is still to be
     * freed. */
    void (*ended)(gpointer owner, gboolean has_expired);
    /* The deadline that it keeps, and how many file systems are frozen (-1: freezing is not over):
     * after os_guardian_keep(), or once it was found. */
    void (*told)(gpointer owner, gint64 deadline, gint64 count);
} OsGuardianEvents;

/* `directory` is the agent's state directory. */
OsGuardian *os_guardian_start(const OsFreeze *freeze, const char *directory, gint64 deadline,
                              const OsGuardianEvents *events, gpointer owner,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The one that a former agent has started; NULL if there is none. */
OsGuardian *os_guardian_find(const char *directory, const OsGuardianEvents *events, gpointer owner);

/* Release one that a former agent has left behind, if there is one: killed in the middle of a thaw,
 * it had no time to. Nothing may be frozen. */
void os_guardian_dismiss(const char *directory);

/* Whether there is one that has not ended, though its freeze may have. */
gboolean os_guardian_exists(const char *directory);

/* Freezing is over, and so many are frozen: until it is told, the guardian thaws again and again
 * after the deadline. Freeing the object, and the agent's death, say the former as well. */
void os_guardian_freezing_is_over(OsGuardian *guardian, gint64 count);

/* Do not thaw before `deadline`, if that is later than the one kept until now. The guardian alone
 * decides whether this comes in time: then it tells that deadline, else that it has expired. */
void os_guardian_keep(OsGuardian *guardian, gint64 deadline);

/* All is thawed. ended() follows soon, and tells who was first. */
void os_guardian_release(OsGuardian *guardian);

void os_guardian_free(OsGuardian *guardian);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsGuardian, os_guardian_free)
