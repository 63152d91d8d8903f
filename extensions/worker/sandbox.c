/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of what is allowed, not of what is forbidden: a new system call of the kernel is not one
 * of a worker's. Files can be read, since libraries read their configuration and the answers of
 * the name service, but what there is to be read the user's rights say.
 */
#include "extensions/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/refusal.h"

/* Far more than a client's library needs, for a session of a few statements. */
#define MEMORY_MAX (512u << 20)
#define FILES_MAX 64
#define CPU_SECONDS_MAX 60

/* Rights. */

static gboolean
drop_capabilities(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

    return syscall(SYS_capset, &header, none) == 0;
}

static gboolean
become(const struct passwd *entry)
{
    gid_t gid = entry->pw_gid;
    uid_t uid = entry->pw_uid;

    return (geteuid() != 0 ||
            (initgroups(entry->pw_name, gid) == 0 && setresgid(gid, gid, gid) == 0)) &&
           setresuid(uid, uid, uid) == 0 && drop_capabilities();
}

gboolean
ga_sandbox_take_rights(guint uid, GError **error)
{
    errno = 0;
    const struct passwd *entry = getpwuid(uid);

    if (!entry) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no user with the number %u", uid);
        return FALSE;
    }
    if (!become(entry) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || chdir("/") < 0) {
        ga_refuse_errno(error, errno, "cannot become user '%s'", entry->pw_name);
        return FALSE;
    }
    setenv("HOME", entry->pw_dir, TRUE);
    setenv("USER", entry->pw_name, TRUE);
    return TRUE;
}

/* Limits. */

#if defined(__SANITIZE_ADDRESS__)
#define RESERVES_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RESERVES_MEMORY 1
#endif
#endif

static gboolean
set_limits(void)
{
    static const struct {
        __rlimit_resource_t resource;
        rlim_t most;
    } limits[] = {
#ifndef RESERVES_MEMORY /* more than there is, as the address sanitizer does */
        { RLIMIT_AS, MEMORY_MAX },
#endif
        { RLIMIT_CORE, 0 },        { RLIMIT_CPU, CPU_SECONDS_MAX }, { RLIMIT_FSIZE, 0 },
        { RLIMIT_MEMLOCK, 0 },     { RLIMIT_NOFILE, FILES_MAX },
    };

    signal(SIGXFSZ, SIG_IGN); /* what cannot be written to the log is lost, no more */
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        const struct rlimit limit = { limits[i].most, limits[i].most };

        if (setrlimit(limits[i].resource, &limit) < 0)
            return FALSE;
    }
    return TRUE;
}

/* System calls. Those of a name that this machine does not have are passed over. */

static const char *const allowed[] = {
    /* memory and threads, of which there is no new one */
    "brk",
    "mmap",
    "mmap2",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "futex",
    "futex_time64",
    "set_robust_list",
    "rseq",
    "sched_yield",
    "sched_getaffinity",
    "getcpu",
    "membarrier",
    /* ending */
    "exit",
    "exit_group",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "sigaltstack",
    "restart_syscall",
    /* who and when */
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getuid32",
    "geteuid32",
    "getgid32",
    "getegid32",
    "uname",
    "sysinfo",
    "getrandom",
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "gettimeofday",
    "time",
    "getrusage",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "nanosleep",
    "setitimer",
    "getcwd",
    /* reading */
    "read",
    "readv",
    "pread64",
    "lseek",
    "_llseek",
    "close",
    "stat",
    "stat64",
    "lstat",
    "lstat64",
    "fstat",
    "fstat64",
    "newfstatat",
    "fstatat64",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents",
    "getdents64",
    "fcntl",
    "fcntl64",
    "dup",
    "fstatfs",
    "statfs",
    /* the connection, and the one to the agent; also what tells of an error to standard error */
    "write",
    "writev",
    "connect",
    "send",
    "sendto",
    "sendmsg",
    "recv",
    "recvfrom",
    "recvmsg",
    "shutdown",
    "getsockopt",
    "setsockopt",
    "getsockname",
    "getpeername",
    "poll",
    "ppoll",
    "ppoll_time64",
    "select",
    "_newselect",
    "pselect6",
    "pselect6_time64",
    "pipe2",
    "eventfd2",
};

static gint
allow(scmp_filter_ctx filter, const char *name, guint n, const struct scmp_arg_cmp *arguments)
{
    gint number = seccomp_syscall_resolve_name(name);

    return number == __NR_SCMP_ERROR
               ? 0
               : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, n, arguments);
}

static gint
allow_all(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp reading[] = {
        SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
        SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
    };
    const struct scmp_arg_cmp families[] = {
        SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
        SCMP_A0(SCMP_CMP_EQ, AF_INET),
        SCMP_A0(SCMP_CMP_EQ, AF_INET6),
    };
    const struct scmp_arg_cmp naming = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME);
    const struct scmp_arg_cmp own = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
    gint failure = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(allowed) && !failure; i++)
        failure = allow(filter, allowed[i], 0, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(families) && !failure; i++)
        failure = allow(filter, "socket", 1, &families[i]);
    if (!failure)
        failure = allow(filter, "open", 1, &reading[0]);
    if (!failure)
        failure = allow(filter, "openat", 1, &reading[1]);
    /* a thread that has just begun gives itself its name */
    if (!failure)
        failure = allow(filter, "prctl", 1, &naming);
    /* abort(); the user's other processes are no business of ours */
    if (!failure)
        failure = allow(filter, "tgkill", 1, &own);
    /* A library may ask for what it can do without; to be killed for that would be a pity. */
    if (!failure)
        failure = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0);
    if (!failure)
        failure = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 0);
    return failure;
}

static gint
load_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    gint failure = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

    if (!failure)
        failure = allow_all(filter);
    if (!failure)
        failure = seccomp_load(filter);
    seccomp_release(filter);
    return failure;
}

gboolean
ga_sandbox_enter(GError **error)
{
    if (!set_limits()) {
        ga_refuse_errno(error, errno, "cannot limit the process");
        return FALSE;
    }

    gint failure = load_filter();
    if (failure)
        ga_refuse_errno(error, -failure, "cannot limit the system calls");
    return !failure;
}
