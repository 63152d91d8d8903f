/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded before an agent's libraries (LD_PRELOAD), it says of every file system that
 * it is sysfs, which libudev wants to hear of a made-up /sys, and answers for NVMe
 * disks: the log page is what the file that stands for the disk's node holds. Each
 * command goes to the file $MACHINE_TRACE, so that agents can be compared by what they
 * ask as well.
 */
#undef _FILE_OFFSET_BITS /* both pairs of names are wanted */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

typedef int (*FstatfsFunc)(int fd, struct statfs *status);
typedef int (*Fstatfs64Func)(int fd, struct statfs64 *status);
typedef int (*IoctlFunc)(int fd, unsigned long request, void *argument);

/* Parameters are called as in the library's header. */
int
fstatfs(int __fildes, struct statfs *__buf)
{
    FstatfsFunc next = (FstatfsFunc)dlsym(RTLD_NEXT, "fstatfs");
    int result = next(__fildes, __buf);

    __buf->f_type = SYSFS_MAGIC;
    return result;
}

int
fstatfs64(int __fildes, struct statfs64 *__buf)
{
    Fstatfs64Func next = (Fstatfs64Func)dlsym(RTLD_NEXT, "fstatfs64");
    int result = next(__fildes, __buf);

    __buf->f_type = SYSFS_MAGIC;
    return result;
}

static void
trace(struct nvme_admin_cmd command)
{
    const char *path = getenv("MACHINE_TRACE");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

    command.addr = 0;
    if (fd < 0 || write(fd, &command, sizeof command) != sizeof command)
        abort();
    close(fd);
}

static int
answer(int fd, struct nvme_admin_cmd *command)
{
    trace(*command);
    /* A status of the disk's own is a positive number. */
    ssize_t size = pread(fd, (void *)(uintptr_t)command->addr, command->data_len, 0);
    return size == (ssize_t)command->data_len ? 0 : 0x4002;
}

int
ioctl(int fd, unsigned long request, ...)
{
    IoctlFunc next = (IoctlFunc)dlsym(RTLD_NEXT, "ioctl");
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return request == NVME_IOCTL_ADMIN_CMD ? answer(fd, argument) : next(fd, request, argument);
}
