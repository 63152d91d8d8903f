/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-memory-blocks, guest-set-memory-blocks and guest-get-memory-block-info
 * through sysfs. A large guest has ten thousands of blocks, with two files to read
 * for each, and taking one offline moves what is in it: so threads do both.
 */
#include "linux/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-error.h"

#define FOLDER "/sys/devices/system/memory/"

/* As much as upstream reads of a size, which has 16 digits at most. */
#define TEXT_SIZE 20

/* Upstream makes the number signed for the name; no guest has that much memory. */
static char *
block_path(const char *folder, guint64 index)
{
    return g_strdup_printf("%smemory%" G_GINT64_FORMAT "/", folder, (gint64)index);
}

/* Into TEXT_SIZE + 1 bytes. */
static gssize
read_text(gint fd, char *text)
{
    gssize size = pread(fd, text, TEXT_SIZE, 0);

    text[MAX(size, 0)] = '\0';
    return size;
}

/* The same for a file of a folder. Unless `ret_exists` is NULL, it need not exist. */
static gboolean
read_file(gint folder, const char *name, char *text, gboolean *ret_exists, GError **error)
{
    gint fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

    if (ret_exists)
        *ret_exists = fd >= 0;
    if (fd < 0) {
        if (ret_exists && errno == ENOENT)
            return TRUE;
        qapi_set_errno(error, errno, "open sysfs file \"%s\"", name);
        return FALSE;
    }

    gssize size = read_text(fd, text);
    if (size < 0)
        qapi_set_errno(error, errno, "pread sysfs file \"%s\"", name);
    else if (size == 0)
        qapi_set_error(error, "pread sysfs file \"%s\": unexpected EOF", name);
    close(fd);
    return size > 0;
}

static gboolean
is_online(const char *state)
{
    return g_str_has_prefix(state, "online");
}

/* What cannot be switched has no state; what cannot be moved says so, or nothing. */
static gboolean
fill_block(GuestMemoryBlock *block, gint folder, GError **error)
{
    char state[TEXT_SIZE + 1], removable[TEXT_SIZE + 1];
    gboolean has_state, has_removable;

    block->has_can_offline = TRUE;
    if (!read_file(folder, "state", state, &has_state, error))
        return FALSE;
    block->online = !has_state || is_online(state);
    if (!has_state)
        return TRUE;
    if (!read_file(folder, "removable", removable, &has_removable, error))
        return FALSE;
    block->can_offline = has_removable && removable[0] != '0';
    return TRUE;
}

static GuestMemoryBlock *
read_block(const char *folder, guint64 index, GError **error)
{
    g_autofree char *path = block_path(folder, index);
    gint fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        qapi_set_errno(error, errno, "Could not open '%s'", path);
        return NULL;
    }

    g_autoptr(GuestMemoryBlock) block = g_new0(GuestMemoryBlock, 1);
    block->phys_index = index;
    gboolean is_filled = fill_block(block, fd, error);
    close(fd);
    return is_filled ? g_steal_pointer(&block) : NULL;
}

static gboolean
add_blocks(GPtrArray *blocks, DIR *entries, const char *folder, GError **error)
{
    const struct dirent *entry;

    while ((entry = readdir(entries))) {
        if (!g_str_has_prefix(entry->d_name, "memory") || entry->d_type != DT_DIR)
            continue;

        guint64 index = strtoull(entry->d_name + strlen("memory"), NULL, 10);
        GuestMemoryBlock *block = read_block(folder, index, error);
        if (!block)
            return FALSE;
        g_ptr_array_add(blocks, block);
    }
    if (blocks->len == 0) {
        qapi_set_error(error, "guest reported zero memory blocks!");
        return FALSE;
    }
    return TRUE;
}

GPtrArray *
os_memory_blocks_read(const char *folder, GError **error)
{
    DIR *entries = opendir(folder);

    if (!entries && errno == ENOENT)
        return g_ptr_array_new();
    if (!entries) {
        qapi_set_errno(error, errno, "Can't open directory\"%s\"", folder);
        return NULL;
    }

    g_autoptr(GPtrArray)
        blocks = g_ptr_array_new_with_free_func((GDestroyNotify)guest_memory_block_free);
    gboolean is_read = add_blocks(blocks, entries, folder, error);
    closedir(entries);
    if (!is_read)
        return NULL;
    g_ptr_array_set_free_func(blocks, NULL);
    return g_steal_pointer(&blocks);
}

static void
respond(GuestMemoryBlockResponse *response, GuestMemoryBlockResponseType type, gint number)
{
    response->response = type;
    response->has_error_code = TRUE;
    response->error_code = number;
}

static void
write_state(GuestMemoryBlockResponse *response, gint fd, gboolean online)
{
    const char *wanted = online ? "online" : "offline";
    char state[TEXT_SIZE + 1];
    gssize size = read_text(fd, state);

    if (size <= 0)
        respond(response, GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED, size < 0 ? errno : 0);
    else if (is_online(state) != online && pwrite(fd, wanted, strlen(wanted), 0) < 0)
        respond(response, GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED, errno);
}

/* A block without a state is online for ever. */
static void
open_state(GuestMemoryBlockResponse *response, gint folder, gboolean online)
{
    gint fd = openat(folder, "state", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        write_state(response, fd, online);
        close(fd);
    } else if (errno != ENOENT) {
        respond(response, GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED, errno);
    } else {
        respond(response,
                online ? GUEST_MEMORY_BLOCK_RESPONSE_TYPE_SUCCESS
                       : GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_NOT_SUPPORTED,
                ENOENT);
    }
}

static void
open_block(GuestMemoryBlockResponse *response, const char *folder, gboolean online)
{
    g_autofree char *path = block_path(folder, response->phys_index);
    gint fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        open_state(response, fd, online);
        close(fd);
    } else {
        respond(response,
                errno == ENOENT ? GUEST_MEMORY_BLOCK_RESPONSE_TYPE_NOT_FOUND
                                : GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED,
                errno);
    }
}

GuestMemoryBlockResponse *
os_memory_block_set(const char *folder, guint64 index, gboolean online)
{
    GuestMemoryBlockResponse *response = g_new0(GuestMemoryBlockResponse, 1);
    gint fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    response->phys_index = index;
    response->response = GUEST_MEMORY_BLOCK_RESPONSE_TYPE_SUCCESS;
    if (fd >= 0) {
        close(fd);
        open_block(response, folder, online);
    } else {
        /* A folder that exists and cannot be opened is a "success" to upstream, with a number. */
        respond(response,
                errno == ENOENT ? GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_NOT_SUPPORTED
                                : GUEST_MEMORY_BLOCK_RESPONSE_TYPE_SUCCESS,
                errno);
    }
    return response;
}

gboolean
os_memory_block_size(const char *folder, guint64 *ret_size, GError **error)
{
    char text[TEXT_SIZE + 1];
    gint fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        qapi_set_errno(error, errno, "open(\"%s\")", folder);
        return FALSE;
    }

    gboolean is_read = read_file(fd, "block_size_bytes", text, NULL, error);
    close(fd);
    if (is_read)
        *ret_size = (guint64)strtoll(text, NULL, 16);
    return is_read;
}

static gpointer
read_work(G_GNUC_UNUSED gpointer data, GError **error)
{
    return os_memory_blocks_read(FOLDER, error);
}

void
guest_get_memory_blocks(GaCall *call)
{
    ga_work_run(call, read_work, NULL, NULL);
}

typedef struct {
    guint64 index;
    gboolean online;
} Wish;

static gpointer
set_work(gpointer data, G_GNUC_UNUSED GError **error)
{
    const GArray *wishes = data;
    GPtrArray *responses = g_ptr_array_sized_new(wishes->len);

    for (guint i = 0; i < wishes->len; i++) {
        const Wish *wish = &g_array_index(wishes, Wish, i);

        g_ptr_array_add(responses, os_memory_block_set(FOLDER, wish->index, wish->online));
    }
    return responses;
}

void
guest_set_memory_blocks(GaCall *call, const GuestSetMemoryBlocksArgs *args)
{
    GArray *wishes = g_array_new(FALSE, FALSE, sizeof(Wish));

    for (guint i = 0; i < args->mem_blks->len; i++) {
        const GuestMemoryBlock *block = args->mem_blks->pdata[i];
        Wish wish = { block->phys_index, block->online };

        g_array_append_val(wishes, wish);
    }
    ga_work_run(call, set_work, wishes, (GDestroyNotify)g_array_unref);
}

GuestMemoryBlockInfo *
guest_get_memory_block_info(G_GNUC_UNUSED GaAgent *agent, GError **error)
{
    GuestMemoryBlockInfo *info = g_new0(GuestMemoryBlockInfo, 1);

    if (os_memory_block_size(FOLDER, &info->size, error))
        return info;
    guest_memory_block_info_free(info);
    return NULL;
}
