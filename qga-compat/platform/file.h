/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open file as guest-file-* sees it: with the buffer of a C stream, since
 * clients see when data becomes visible and which call reports a full disk.
 *
 * Nothing here blocks the main loop. What needs no waiting is told at once, from
 * within the call; everything else later, from the main loop. One operation at a
 * time per file. Error texts are those of the wire.
 */
#pragma once

#include <glib.h>

/* What the open files of an agent have in common. */
typedef struct OsFiles OsFiles;
typedef struct OsFile OsFile;

typedef enum { OS_FILE_SET, OS_FILE_CURRENT, OS_FILE_END } OsFileWhence;

/* Errors are (transfer full). */
typedef void (*OsFileOpened)(OsFile *file /* (transfer full), NULL on error */, GError *error,
                             gpointer user_data);
typedef void (*OsFileDone)(GError *error, gpointer user_data);
typedef void (*OsFileRead)(GBytes *bytes /* (transfer full), NULL on error */,
                           gboolean is_end_of_file, GError *error, gpointer user_data);
typedef void (*OsFileSought)(gint64 position, GError *error, gpointer user_data);

OsFiles *os_files_new(void);

/* Files that are still open keep what they need of it. */
void os_files_free(OsFiles *files);

/* How many files may be open so that the agent itself still finds descriptors. */
guint os_files_maximum(void);

/* `mode` as fopen(3) has it; another is an error. */
void os_file_open(OsFiles *files, const char *path, const char *mode, OsFileOpened opened,
                  gpointer user_data);

/* Bytes that came before an error are told without it; it will be met again. */
void os_file_read(OsFile *file, gsize count, OsFileRead done, gpointer user_data);

/* Make a file that was read ready to be written, which fails where there is no position to go back
 * to (a pipe). Apart from the write because upstream does this before it looks at the data. */
void os_file_prepare_write(OsFile *file, OsFileDone done, gpointer user_data);

/* All of `data` or an error, after os_file_prepare_write(). It must live until `done`. */
void os_file_write(OsFile *file, const void *data, gsize size, OsFileDone done, gpointer user_data);
void os_file_seek(OsFile *file, gint64 offset, OsFileWhence whence, OsFileSought done,
                  gpointer user_data);
void os_file_flush(OsFile *file, OsFileDone done, gpointer user_data);

/* Consumes the file, whatever comes of it. */
void os_file_close(OsFile *file, OsFileDone done, gpointer user_data);

/* For the end of the agent: what is buffered is written, as exit(3) does it, and nothing is told.
 * An operation under way completes if the loop still runs. */
void os_file_free(OsFile *file);
