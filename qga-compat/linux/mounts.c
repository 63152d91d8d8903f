/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount table from /proc/self/mountinfo, or, where that is missing (a chroot
 * made by hand), from /proc/self/mounts, which does not tell devices: there the
 * mount's source is asked.
 *
 * A container host has tens of thousands of mounts, so that the first mount of a
 * device is found by hash.
 */
#include "linux/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/account.h"
#include "runtime/qapi-error.h"

#define INFO_FILE "/proc/self/mountinfo"
#define MTAB_FILE "/proc/self/mounts"

static void
mount_free(gpointer data)
{
    OsMount *mount = data;

    g_free(mount->source);
    g_free(mount->directory);
    g_free(mount->type);
    g_free(mount);
}

static guint
mount_hash(gconstpointer data)
{
    const OsMount *mount = data;

    return mount->major * 0x9E3779B1u ^ mount->minor;
}

static gboolean
mount_equal(gconstpointer a, gconstpointer b)
{
    const OsMount *one = a, *other = b;

    return one->major == other->major && one->minor == other->minor;
}

/* The next field of a line, NULL at its end. Fields are separated by one blank each. */
static char *
next_field(char **rest)
{
    return strsep(rest, " \n");
}

static gboolean
parse_number(const char *text, guint *ret_number)
{
    guint64 number;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &number, NULL))
        return FALSE;
    *ret_number = (guint)number;
    return TRUE;
}

/* MAJOR:MINOR, in place. */
static gboolean
parse_device(char *text, OsMount *mount)
{
    char *rest = text;
    const char *major = strsep(&rest, ":");

    return parse_number(major, &mount->major) && parse_number(rest, &mount->minor);
}

/* The byte that a backslash and three octal digits stand for; 0 if they do not. */
static char
octal_escape(const char *text)
{
    guint value = 0;

    for (guint i = 1; i <= 3; i++) {
        if (text[i] < '0' || text[i] > '7')
            return 0;
        value = value * 8 + (guint)(text[i] - '0');
    }
    return value <= 0xFF ? (char)value : 0;
}

/* In place. Blanks, and whatever else would end a field, are written \ooo. */
static char *
decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        char byte = *from == '\\' ? octal_escape(from) : 0;
        if (byte)
            from += 3;
        else if (from[0] == '\\' && from[1] == '\\')
            from++;
        *to++ = byte ? byte : *from;
    }
    *to = '\0';
    return text;
}

/* The block device that this node is, 0:0 if it is something else. FALSE and errno if there is
 * nothing, or a folder (ENOTBLK): no file system on a device has such a source. */
static gboolean
stat_device(const char *path, OsMount *mount)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return FALSE;
    if (S_ISDIR(status.st_mode)) {
        errno = ENOTBLK;
        return FALSE;
    }
    mount->major = S_ISBLK(status.st_mode) ? major(status.st_rdev) : 0;
    mount->minor = S_ISBLK(status.st_mode) ? minor(status.st_rdev) : 0;
    return TRUE;
}

/* btrfs has device numbers of its own making, several for one file system. */
static gboolean
find_btrfs_device(OsMounts *mounts, OsMount *mount, const char *source)
{
    if (stat_device(source, mount))
        return mount->major != 0;
    if (errno != ENOTBLK)
        g_ptr_array_add(mounts->remarks, g_strdup_printf("failed to stat device file '%s': %s",
                                                         source, g_strerror(errno)));
    return FALSE;
}

/* `mount` has the device. */
static void
add(OsMounts *mounts, const OsMount *mount, const char *source, const char *directory,
    const char *type)
{
    if (g_hash_table_contains(mounts->by_device, mount))
        return;

    OsMount *copy = g_new(OsMount, 1);
    *copy = (OsMount){ .major = mount->major,
                       .minor = mount->minor,
                       .source = g_strdup(source),
                       .directory = g_strdup(directory),
                       .type = g_strdup(type) };
    g_ptr_array_add(mounts->list, copy);
    g_hash_table_add(mounts->by_device, copy);
}

/* ID PARENT MAJOR:MINOR ROOT DIRECTORY OPTIONS [FIELD...] - TYPE SOURCE SUPER-OPTIONS */
void
os_mounts_add_info(OsMounts *mounts, const char *line)
{
    g_autofree char *copy = g_strdup(line);
    char *rest = copy, *field;
    OsMount mount = { 0 };
    guint id, parent;

    if (!parse_number(next_field(&rest), &id) || !parse_number(next_field(&rest), &parent))
        return;
    field = next_field(&rest);
    if (!field || !parse_device(field, &mount) || !next_field(&rest))
        return;

    char *directory = next_field(&rest);
    while ((field = next_field(&rest)) && strcmp(field, "-") != 0)
        continue;
    const char *type = next_field(&rest);
    char *source = next_field(&rest);
    if (!source || !rest || !*directory || !*type || !*source)
        return;

    decode(source);
    if (mount.major == 0 &&
        (strcmp(type, "btrfs") != 0 || !find_btrfs_device(mounts, &mount, source)))
        return;
    add(mounts, &mount, source, decode(directory), type);
}

/* SOURCE DIRECTORY TYPE OPTIONS 0 0 */
void
os_mounts_add_mtab(OsMounts *mounts, const char *line)
{
    g_autofree char *copy = g_strdup(line);
    char *rest = copy;
    char *source = next_field(&rest), *directory = next_field(&rest);
    const char *type = next_field(&rest);
    OsMount mount = { 0 };

    if (!type || *source != '/' || !*directory || !*type || strcmp(type, "smbfs") == 0 ||
        strcmp(type, "cifs") == 0)
        return;
    if (!stat_device(decode(source), &mount) && errno == ENOTBLK)
        return;
    add(mounts, &mount, source, decode(directory), type);
}

OsMounts *
os_mounts_new(void)
{
    OsMounts *mounts = g_new(OsMounts, 1);

    mounts->list = g_ptr_array_new_with_free_func(mount_free);
    mounts->by_device = g_hash_table_new(mount_hash, mount_equal);
    mounts->remarks = g_ptr_array_new_with_free_func(g_free);
    return mounts;
}

void
os_mounts_free(OsMounts *mounts)
{
    if (!mounts)
        return;
    g_hash_table_unref(mounts->by_device);
    g_ptr_array_unref(mounts->list);
    g_ptr_array_unref(mounts->remarks);
    g_free(mounts);
}

void
os_mounts_account(const OsMounts *mounts, GaAccount *account, const char *command)
{
    for (guint i = 0; i < mounts->remarks->len; i++)
        ga_account(account, command, "%s", (const char *)mounts->remarks->pdata[i]);
}

/* All lines of the file. A table that ends early would leave file systems unfrozen: an error. */
static OsMounts *
read_lines(FILE *file, void (*add_line)(OsMounts *mounts, const char *line), GError **error)
{
    g_autoptr(OsMounts) mounts = os_mounts_new();
    char *line = NULL;
    gsize size = 0;

    errno = 0;
    while (getline(&line, &size, file) >= 0)
        add_line(mounts, line);
    gint number = feof(file) ? 0 : errno;
    free(line);
    fclose(file);
    if (number == 0)
        return g_steal_pointer(&mounts);
    qapi_set_errno(error, number, "failed to read the mount table");
    return NULL;
}

OsMounts *
os_mounts_read(GError **error)
{
    FILE *file = fopen(INFO_FILE, "re");
    if (file)
        return read_lines(file, os_mounts_add_info, error);

    file = fopen(MTAB_FILE, "re");
    if (file)
        return read_lines(file, os_mounts_add_mtab, error);
    qapi_set_error(error, "failed to open mtab file: '%s'", MTAB_FILE);
    return NULL;
}
