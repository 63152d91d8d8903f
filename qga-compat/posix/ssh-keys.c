/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ~/.ssh/authorized_keys. The functions named do_* run in the user's child; they leave the step at
 * which they failed, if any, and the reason, from which the text is made here.
 */
#include "platform/ssh-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/user.h"
#include "runtime/qapi-error.h"

/* In milliseconds: a home on a server that is gone must not hold a client for ever. */
#define TIME_LIMIT (30 * 1000)

/* Of a temporary name, behind a dot. */
#define SUFFIX_SIZE 6

struct OsSshKeys {
    OsUser *user;
    char *folder;
    char *file;
};

typedef enum {
    STEP_DONE,
    /* reading */
    STEP_OPEN,
    STEP_FIND, /* as STEP_OPEN, but there is nothing to open */
    STEP_READ,
    STEP_FIFO,
    /* the folder */
    STEP_MKDIR,
    STEP_CHOWN_FOLDER,
    STEP_CHMOD_FOLDER,
    /* writing */
    STEP_CREATE,
    STEP_WRITE,
    STEP_SYNC,
    STEP_CHOWN,
    STEP_CHMOD,
    STEP_RENAME,
} Step;

/* Shared with the child. */
typedef struct {
    Step step;
    gint number;
    char suffix[SUFFIX_SIZE];
    gsize size;
    char text[]; /* of reading: OS_SSH_KEYS_MAX and one byte more */
} Answer;

#define READ_ANSWER_SIZE (sizeof(Answer) + OS_SSH_KEYS_MAX + 1)

/* Borrowed by the child. */
typedef struct {
    const char *folder, *file;
    const char *text; /* to be written */
    char *temporary;  /* a template */
    Answer *answer;
} Job;

GQuark
os_ssh_keys_error_quark(void)
{
    return g_quark_from_static_string("os-ssh-keys-error");
}

static void
stop(Answer *answer, Step step)
{
    answer->step = step;
    answer->number = errno;
}

static void
read_all(gint fd, Answer *answer)
{
    gssize size;

    do {
        size = read(fd, answer->text + answer->size, OS_SSH_KEYS_MAX + 1 - answer->size);
        answer->size += size > 0 ? (gsize)size : 0;
        if (answer->size > OS_SSH_KEYS_MAX) {
            size = -1;
            errno = EFBIG;
        }
    } while (size > 0);
    if (size < 0)
        stop(answer, STEP_READ);
}

/* Nothing waits here: neither a FIFO without a writer nor a terminal without input. */
static void
do_read(gpointer data)
{
    const Job *job = data;
    struct stat status;
    gint fd = open(job->file, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        stop(job->answer, STEP_OPEN);
        /* Where the user may not look there may be something. */
        if (job->answer->number != EACCES && access(job->file, F_OK) < 0)
            job->answer->step = STEP_FIND;
        return;
    }
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
        stop(job->answer, STEP_FIFO);
    else
        read_all(fd, job->answer);
}

static void
do_prepare(gpointer data)
{
    const Job *job = data;
    struct stat status;

    if (stat(job->folder, &status) == 0 && S_ISDIR(status.st_mode))
        return;
    if (mkdir(job->folder, S_IRWXU) < 0)
        stop(job->answer, STEP_MKDIR);
    else if (chown(job->folder, geteuid(), getegid()) < 0)
        stop(job->answer, STEP_CHOWN_FOLDER);
    else if (chmod(job->folder, S_IRWXU) < 0)
        stop(job->answer, STEP_CHMOD_FOLDER);
}

static gboolean
write_all(gint fd, const char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        gssize written = write(fd, text, left);

        if (written < 0)
            return FALSE;
        text += written;
        left -= (gsize)written;
    }
    return TRUE;
}

/* Complete before it gets its name: a server never finds half of the keys. */
static void
fill(const Job *job, gint fd)
{
    if (!write_all(fd, job->text))
        stop(job->answer, STEP_WRITE);
    else if (fsync(fd) < 0)
        stop(job->answer, STEP_SYNC);
    else if (fchown(fd, geteuid(), getegid()) < 0)
        stop(job->answer, STEP_CHOWN);
    else if (fchmod(fd, S_IRUSR | S_IWUSR) < 0)
        stop(job->answer, STEP_CHMOD);
    else if (rename(job->temporary, job->file) < 0)
        stop(job->answer, STEP_RENAME);
}

static void
sync_folder(const char *folder)
{
    gint fd = open(folder, O_RDONLY | O_DIRECTORY);

    if (fd >= 0)
        fsync(fd);
}

static void
do_write(gpointer data)
{
    const Job *job = data;
    gint fd = mkostemp(job->temporary, O_CLOEXEC);

    memcpy(job->answer->suffix, job->temporary + strlen(job->temporary) - SUFFIX_SIZE, SUFFIX_SIZE);
    if (fd < 0) {
        stop(job->answer, STEP_CREATE);
        return;
    }
    fill(job, fd);
    if (job->answer->step != STEP_DONE)
        unlink(job->temporary);
    else
        sync_folder(job->folder);
}

/* Quotes, and that it says "directory" of a file, are upstream's and GLib's. */
static void
set_error(const OsSshKeys *keys, const Answer *answer, GError **error)
{
    const char *file = keys->file, *folder = keys->folder;
    g_autofree char *temporary = g_strdup_printf("%s.%.*s", file, SUFFIX_SIZE, answer->suffix);
    gint number = answer->number;

    switch (answer->step) {
    case STEP_DONE:
        break;
    case STEP_FIND:
    case STEP_OPEN:
        qapi_set_errno(error, number, "failed to read '%s': Failed to open file “%s”", file, file);
        break;
    case STEP_READ:
        qapi_set_errno(error, number, "failed to read '%s': Error reading file “%s”", file, file);
        break;
    case STEP_FIFO:
        qapi_set_error(error, "failed to read '%s': Error reading file “%s”: Is a FIFO", file,
                       file);
        break;
    case STEP_MKDIR:
        qapi_set_errno(error, number, "failed to create directory '%s'", folder);
        break;
    case STEP_CHOWN_FOLDER:
        qapi_set_errno(error, number, "failed to set ownership of directory '%s'", folder);
        break;
    case STEP_CHMOD_FOLDER:
        qapi_set_errno(error, number, "failed to set permissions of directory '%s'", folder);
        break;
    case STEP_CREATE:
        qapi_set_errno(error, number, "failed to write to '%s': Failed to create file “%s”", file,
                       temporary);
        break;
    case STEP_WRITE:
    case STEP_SYNC:
        qapi_set_errno(error, number,
                       "failed to write to '%s': Failed to write file “%s”: %s failed", file,
                       temporary, answer->step == STEP_WRITE ? "write()" : "fsync()");
        break;
    case STEP_CHOWN:
        qapi_set_errno(error, number, "failed to set ownership of directory '%s'", file);
        break;
    case STEP_CHMOD:
        qapi_set_errno(error, number, "failed to set permissions of '%s'", file);
        break;
    case STEP_RENAME:
        qapi_set_errno(error, number,
                       "failed to write to '%s': Failed to rename file “%s” to “%s”: "
                       "g_rename() failed",
                       file, temporary, file);
        break;
    }
}

/* Run one of the above; the answer is (transfer full), NULL on error. */
static Answer *
ask_child(const OsSshKeys *keys, void (*work)(gpointer data), Job *job, gsize answer_size,
          GError **error)
{
    job->folder = keys->folder;
    job->file = keys->file;
    job->answer = os_shared_new(answer_size);
    if (!job->answer) {
        qapi_set_errno(error, errno, "failed to create child process");
        return NULL;
    }
    if (!os_user_run(keys->user, work, job, TIME_LIMIT, error)) {
        os_shared_free(job->answer, answer_size);
        return NULL;
    }
    return job->answer;
}

static gboolean
run(const OsSshKeys *keys, void (*work)(gpointer data), Job *job, GError **error)
{
    Answer *answer = ask_child(keys, work, job, sizeof *answer, error);

    if (!answer)
        return FALSE;
    gboolean is_done = answer->step == STEP_DONE;
    set_error(keys, answer, error);
    os_shared_free(answer, sizeof *answer);
    return is_done;
}

OsSshKeys *
os_ssh_keys_open(const char *username, GError **error)
{
    OsUser *user = os_user_lookup(username, error);

    if (!user)
        return NULL;

    OsSshKeys *keys = g_new0(OsSshKeys, 1);
    keys->user = user;
    keys->folder = g_build_filename(user->home, ".ssh", NULL);
    keys->file = g_build_filename(keys->folder, "authorized_keys", NULL);
    return keys;
}

void
os_ssh_keys_close(OsSshKeys *keys)
{
    if (!keys)
        return;
    os_user_free(keys->user);
    g_free(keys->folder);
    g_free(keys->file);
    g_free(keys);
}

static gint
error_code(const Answer *answer)
{
    if (answer->step == STEP_FIND)
        return OS_SSH_KEYS_MISSING;
    return answer->step == STEP_FIFO || answer->number == EFBIG ? OS_SSH_KEYS_REFUSED
                                                                : OS_SSH_KEYS_UNREADABLE;
}

char *
os_ssh_keys_read(const OsSshKeys *keys, GError **error)
{
    Job job = { NULL };
    g_autoptr(GError) reason = NULL;
    Answer *answer = ask_child(keys, do_read, &job, READ_ANSWER_SIZE, &reason);
    char *text = NULL;

    if (!answer) {
        g_set_error_literal(error, OS_SSH_KEYS_ERROR, OS_SSH_KEYS_REFUSED, reason->message);
        return NULL;
    }
    if (answer->step == STEP_DONE) {
        text = g_strndup(answer->text, answer->size);
    } else {
        set_error(keys, answer, &reason);
        g_set_error_literal(error, OS_SSH_KEYS_ERROR, error_code(answer), reason->message);
    }
    os_shared_free(answer, READ_ANSWER_SIZE);
    return text;
}

gboolean
os_ssh_keys_prepare(const OsSshKeys *keys, GError **error)
{
    Job job = { NULL };

    return run(keys, do_prepare, &job, error);
}

gboolean
os_ssh_keys_write(const OsSshKeys *keys, const char *text, GError **error)
{
    g_autofree char *temporary = g_strconcat(keys->file, ".XXXXXX", NULL);
    Job job = { .text = text, .temporary = temporary };

    if (strlen(text) > OS_SSH_KEYS_MAX) {
        qapi_set_errno(error, EFBIG, "failed to write to '%s'", keys->file);
        return FALSE;
    }
    return run(keys, do_write, &job, error);
}
