/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of what was found is also that of the folders that are still to be
 * looked into. What a guest tells is believed in nothing: its names could lead
 * out of the folder, and its folders have no end.
 */
#include "novacronctl/tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novacronctl/output.h"
#include "novacronctl/remote-folder.h"
#include "novacronctl/transfer.h"

#define PERMISSIONS 0777
#define OCTAL 8

/* What is told of them fits in a gigabyte or so. */
#define ENTRIES_MAX (4u << 20)

/* What stands for bytes that are no UTF-8. */
#define REPLACEMENT "\357\277\275"

static void
entry_free(gpointer data)
{
    TreeEntry *entry = data;

    g_free(entry->path);
    g_free(entry->target);
    g_free(entry);
}

static Tree *
tree_new(void)
{
    Tree *tree = g_new0(Tree, 1);

    tree->entries = g_ptr_array_new_with_free_func(entry_free);
    return tree;
}

void
tree_free(Tree *tree)
{
    if (!tree)
        return;
    g_ptr_array_unref(tree->entries);
    g_free(tree);
}

/* Why `name` in the folder `folder` cannot be copied; NULL: it can. */
static const char *
find_flaw(const char *folder, const char *name)
{
    if (!name || !*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "this is no name of a file";
    if (!g_utf8_validate(name, -1, NULL) || strstr(name, REPLACEMENT))
        return "its name is not UTF-8, which is all that can be sent";
    if (strlen(folder) + strlen(name) + 1 >= PATH_MAX)
        return "its path is too long";
    return NULL;
}

/* Takes `target`. A name that cannot be is told of, and left out. */
static gboolean
add(Tree *tree, const char *folder, const char *name, TreeEntry found, GError **error)
{
    const char *flaw = find_flaw(folder, name);

    if (flaw) {
        output_note("'%s%s%s' is left out: %s", folder, *folder ? "/" : "", name ? name : "", flaw);
        tree->failures++;
        g_free(found.target);
        return TRUE;
    }
    if (tree->entries->len == ENTRIES_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "there are more than %u files",
                    ENTRIES_MAX);
        g_free(found.target);
        return FALSE;
    }
    found.path = *folder ? g_strconcat(folder, "/", name, NULL) : g_strdup(name);
    tree->bytes += found.type == NOVACRON_FILE_TYPE_REGULAR ? found.size : 0;
    g_ptr_array_add(tree->entries, g_memdup(&found, sizeof found));
    return TRUE;
}

static void
add_top(Tree *tree, guint mode)
{
    TreeEntry *top = g_new0(TreeEntry, 1);

    top->path = g_strdup("");
    top->type = NOVACRON_FILE_TYPE_DIRECTORY;
    top->mode = mode;
    g_ptr_array_add(tree->entries, top);
}

/* Look into every folder of the tree; one below the top that cannot be read is told of. */
static gboolean
look_into_all(Tree *tree,
              gboolean (*look)(Tree *tree, const char *path, gpointer data, GError **error),
              gpointer data, GError **error)
{
    for (guint i = 0; i < tree->entries->len; i++) {
        const TreeEntry *entry = tree->entries->pdata[i];
        g_autoptr(GError) local = NULL;

        if (entry->type != NOVACRON_FILE_TYPE_DIRECTORY || look(tree, entry->path, data, &local))
            continue;
        if (i == 0 || transfer_is_over(local) ||
            g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_FAILED)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        output_note("'%s' is left out: %s", entry->path, local->message);
        tree->failures++;
    }
    return TRUE;
}

/* In the guest. */

static guint
mode_written(const char *digits)
{
    return digits ? (guint)g_ascii_strtoull(digits, NULL, OCTAL) & PERMISSIONS : 0;
}

static gboolean
add_told(Tree *tree, const char *folder, const NovacronFileEntry *told, GError **error)
{
    if (!told->has_type)
        return TRUE; /* it has vanished meanwhile */
    const TreeEntry entry = {
        .type = told->type,
        .mode = mode_written(told->mode),
        .size = told->size_bytes,
        .target = g_strdup(told->target),
    };
    return add(tree, folder, told->name, entry, error);
}

typedef struct {
    QgaClient *client;
    const char *top;
} Guest;

static gboolean
look_in_guest(Tree *tree, const char *path, gpointer data, GError **error)
{
    const Guest *guest = data;
    g_autofree char *full = g_build_filename(guest->top, path, NULL);
    GPtrArray *entries = remote_folder_list(guest->client, full, error);
    gboolean is_added = entries != NULL;

    for (guint i = 0; is_added && i < entries->len; i++)
        is_added = add_told(tree, path, entries->pdata[i], error);
    qapi_free(&remote_folder_type, entries);
    return is_added;
}

Tree *
tree_of_guest(QgaClient *client, const char *top, GError **error)
{
    g_autofree char *path = g_strdup(top);
    const NovacronFileStatArgs args = { .path = path };
    g_autoptr(NovacronFileStatus) status = NULL;
    g_autoptr(Tree) tree = tree_new();
    Guest guest = { .client = client, .top = top };

    if (!qga_novacron_file_stat(client, &args, &status, error))
        return NULL;
    add_top(tree, mode_written(status->mode));
    return look_into_all(tree, look_in_guest, &guest, error) ? g_steal_pointer(&tree) : NULL;
}

/* Here. */

static NovacronFileType
type_of(mode_t mode)
{
    if (S_ISREG(mode))
        return NOVACRON_FILE_TYPE_REGULAR;
    if (S_ISDIR(mode))
        return NOVACRON_FILE_TYPE_DIRECTORY;
    return S_ISLNK(mode) ? NOVACRON_FILE_TYPE_SYMLINK : NOVACRON_FILE_TYPE_OTHER;
}

static gboolean
add_here(Tree *tree, const char *folder, const char *full, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(full, name, NULL);
    struct stat status;

    if (lstat(path, &status) < 0) {
        if (errno == ENOENT)
            return TRUE;
        output_note("'%s' is left out: %s", path, g_strerror(errno));
        tree->failures++;
        return TRUE;
    }
    TreeEntry entry = {
        .type = type_of(status.st_mode),
        .mode = status.st_mode & PERMISSIONS,
        .size = (guint64)status.st_size,
        .target = S_ISLNK(status.st_mode) ? g_file_read_link(path, NULL) : NULL,
    };
    return add(tree, folder, name, entry, error);
}

static gboolean
look_here(Tree *tree, const char *path, gpointer data, GError **error)
{
    g_autofree char *full = g_build_filename(data, path, NULL);
    g_autoptr(GDir) folder = g_dir_open(full, 0, error);
    const char *name;

    if (!folder)
        return FALSE;
    while ((name = g_dir_read_name(folder)))
        if (!add_here(tree, path, full, name, error))
            return FALSE;
    return TRUE;
}

Tree *
tree_of_here(const char *top, GError **error)
{
    g_autofree char *own_top = g_strdup(top);
    g_autoptr(Tree) tree = tree_new();
    struct stat status;

    if (stat(top, &status) < 0) {
        transfer_fail_errno(error, "read", top);
        return NULL;
    }
    add_top(tree, status.st_mode & PERMISSIONS);
    return look_into_all(tree, look_here, own_top, error) ? g_steal_pointer(&tree) : NULL;
}
