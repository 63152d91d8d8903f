/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-osinfo from uname(2) and os-release(5).
 *
 * os-release is meant for shells, but upstream reads it as a key file, and that
 * can be seen: one odd line makes the whole file void, and single quotes do not
 * quote. Clients got used to the answers, so they stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "gen/guest-agent-commands.h"

#define GROUP "os-release"

/* The real ones have less than 1 KiB; the file may be anything that QGA_OS_RELEASE names. */
#define MAX_FILE_SIZE (64 * 1024)

static const struct {
    const char *key;
    gsize offset;
} fields[] = {
    { "ID", offsetof(GuestOSInfo, id) },
    { "NAME", offsetof(GuestOSInfo, name) },
    { "PRETTY_NAME", offsetof(GuestOSInfo, pretty_name) },
    { "VERSION", offsetof(GuestOSInfo, version) },
    { "VERSION_ID", offsetof(GuestOSInfo, version_id) },
    { "VARIANT", offsetof(GuestOSInfo, variant) },
    { "VARIANT_ID", offsetof(GuestOSInfo, variant_id) },
};

/* The text of a regular file; NULL and errno. A FIFO must not hold up the agent. */
static char *
read_file(const char *path)
{
    gint fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;

    g_autofree char *text = g_malloc(MAX_FILE_SIZE + 1);
    struct stat status;
    gssize size = -1;

    if (fstat(fd, &status) == 0) {
        if (S_ISREG(status.st_mode) && status.st_size <= MAX_FILE_SIZE)
            size = read(fd, text, MAX_FILE_SIZE);
        else
            errno = EFBIG;
    }
    gint number = errno;
    close(fd);
    errno = number;
    if (size < 0)
        return NULL;
    text[size] = '\0';
    return g_steal_pointer(&text);
}

static GKeyFile *
load(GaAccount *account, const char *path)
{
    g_autofree char *text = read_file(path);
    if (!text) {
        ga_account(account, "guest-get-osinfo", "failed to read '%s', error: %s", path,
                   g_strerror(errno));
        return NULL;
    }
    if (!g_utf8_validate(text, -1, NULL)) {
        ga_account(account, "guest-get-osinfo", "file is not utf-8 encoded: %s", path);
        return NULL;
    }

    g_autofree char *with_group = g_strconcat("[" GROUP "]\n", text, NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_key_file_load_from_data(file, with_group, strlen(with_group), G_KEY_FILE_NONE, &error)) {
        ga_account(account, "guest-get-osinfo", "failed to parse file '%s', error: %s", path,
                   error->message);
        return NULL;
    }
    return g_steal_pointer(&file);
}

static GKeyFile *
load_first(GaAccount *account)
{
    const char *path = g_getenv("QGA_OS_RELEASE");
    if (path)
        return load(account, path);

    GKeyFile *file = load(account, "/etc/os-release");
    return file ? file : load(account, "/usr/lib/os-release");
}

/* In place. What follows the closing quote is dropped; a missing one is fine. */
static void
unquote(char *value)
{
    char *to = value;
    const char *from = value + 1;

    if (value[0] != '"') {
        value[strcspn(value, " ;")] = '\0';
        return;
    }
    for (; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1] && strchr("$'\"\\`", from[1]))
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

GuestOSInfo *
guest_get_osinfo(GaAgent *agent, G_GNUC_UNUSED GError **error)
{
    GuestOSInfo *info = g_new0(GuestOSInfo, 1);
    struct utsname kernel;

    if (uname(&kernel) == 0) {
        info->kernel_release = g_strdup(kernel.release);
        info->kernel_version = g_strdup(kernel.version);
        info->machine = g_strdup(kernel.machine);
    }

    g_autoptr(GKeyFile) file = load_first(ga_agent_account(agent));
    for (guint i = 0; file && i < G_N_ELEMENTS(fields); i++) {
        char *value = g_key_file_get_value(file, GROUP, fields[i].key, NULL);

        if (value)
            unquote(value);
        G_STRUCT_MEMBER(char *, info, fields[i].offset) = value;
    }
    return info;
}
