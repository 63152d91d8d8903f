/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file with the public keys that a user can log in with.
 *
 * The file and its folder are the user's, who may have put anything in their place: a link, a
 * device, a file without end. So they are touched with the user's rights only, by a process that
 * does nothing else, and all of it may take its time: for a thread. Error texts are those of the
 * wire.
 */
#pragma once

#include <glib.h>

/* Of a file that is read, and of one that is written. */
#define OS_SSH_KEYS_MAX (4 << 20)

typedef struct OsSshKeys OsSshKeys;

/* Codes of errors of reading. */
#define OS_SSH_KEYS_ERROR (os_ssh_keys_error_quark())
GQuark os_ssh_keys_error_quark(void);

typedef enum {
    OS_SSH_KEYS_MISSING,
    OS_SSH_KEYS_UNREADABLE, /* as the system says */
    OS_SSH_KEYS_REFUSED,    /* it may well have keys, but is not read */
} OsSshKeysError;

/* NULL: there is no such user. */
OsSshKeys *os_ssh_keys_open(const char *username, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void os_ssh_keys_close(OsSshKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsSshKeys, os_ssh_keys_close)

/* The text of the file, up to its first NUL; NULL on error. */
char *os_ssh_keys_read(const OsSshKeys *keys, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Make the folder if there is none. */
gboolean os_ssh_keys_prepare(const OsSshKeys *keys, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replace the file in one step. */
gboolean os_ssh_keys_write(const OsSshKeys *keys, const char *text,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
