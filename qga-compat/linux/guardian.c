/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian of a freeze. Two sides stand here: the process, and what the agent
 * has of it.
 *
 * They talk over a socket in the state directory: that is how the agent that has
 * forked the process talks to it, and how the next agent finds it. To the process
 * go FREEZING_IS_OVER and RELEASED; the end of its first connection says the former,
 * too, since a thread that hangs in FIFREEZE keeps its agent's descriptors open.
 * From it comes EXPIRED. Whoever has no connection any more knows that it has ended.
 *
 * Everything that the process needs is made before the fork: the agent has threads, so
 * that afterwards only system calls are safe; and while file systems are frozen, memory
 * must not be waited for, nor be written to. At the deadline each mount has a thawer of
 * its own (clone, in the guardian's memory). For FITHAW waits: for a FIFREEZE that still
 * syncs, or, on a loop device, for the file system below, which may itself be frozen.
 */
#include "linux/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <link.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/persist.h"
#include "runtime/qapi-error.h"

#define SOCKET_NAME "qga.guardian"
#define FREEZING_IS_OVER 'd'
#define RELEASED 'r'
#define EXPIRED 'x'

/* The agent that freezes, the next one, and the one after that while its end is not noticed yet. */
#define CONNECTIONS_MAX 4

/* Who comes while it is not scheduled waits; who would not fit would take it for absent. */
#define BACKLOG 64

#define STACK_SIZE (16 * 1024) /* of a thawer, which calls one function */

/* Between two passes over a mount while somebody may still freeze it. */
#define PASS_MS 5

/* What a mount whose device is dead gets before the verdict is told without it. */
#define STRAGGLER_MS 1000

/* For the process to answer RELEASED. It wants a few microseconds. */
#define RELEASE_MS 1000

#define TEXTS_MAX 16 /* the program and its libraries, in memory */

#define USEC_PER_MSEC 1000

/* What the process has. All of it is made by the agent. */
typedef struct {
    gint fd;
    gint n_passes; /* atomic */
    gboolean is_done;
} Mount;

typedef struct {
    gpointer start;
    gsize size;
} Text;

typedef struct {
    gint directory;
    gint listener;
    gint signals;                      /* opened by the process itself */
    gint connections[CONNECTIONS_MAX]; /* -1: none; the first is the agent's that freezes */
    gboolean has_agent;                /* that one came */
    gboolean has_expired;
    gint64 deadline;
    gint (*thaw)(gint fd);

    guint n_mounts;
    Mount *mounts;
    guint8 *stacks;
    pid_t pid;
    gint is_over; /* atomic: nobody freezes any more */

    guint n_kept;
    gint *kept; /* its descriptors, in order */
    guint n_texts;
    Text texts[TEXTS_MAX];
} Plan;

struct OsGuardian {
    gint fd;
    guint watch;
    guint timer;
    gint64 deadline;
    OsGuardianEnded ended;
    gpointer owner;
};

static gint64
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static struct timespec
timespec_of(gint64 microseconds)
{
    return (struct timespec){ .tv_sec = (time_t)(microseconds / G_USEC_PER_SEC),
                              .tv_nsec = (long)(microseconds % G_USEC_PER_SEC * 1000) };
}

static void
pause_ms(gint64 milliseconds)
{
    struct timespec time = timespec_of(milliseconds * USEC_PER_MSEC);

    nanosleep(&time, NULL);
}

/*
 * The process. From here to run_guardian(): only system calls.
 */

static void
close_between(gint above, gint below)
{
    if (above + 1 == below)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (guint)above + 1, (guint)below - 1, 0) == 0)
        return;
#endif
    for (gint fd = above + 1; fd < MIN(below, sysconf(_SC_OPEN_MAX)); fd++)
        close(fd);
}

/* Of the agent's, above all its port, which the next agent must be able to open. */
static void
close_others(const Plan *plan)
{
    gint above = -1;

    for (guint i = 0; i < plan->n_kept; i++) {
        close_between(above, plan->kept[i]);
        above = plan->kept[i];
    }
    close_between(above, G_MAXINT);
}

/* Pages that are written to were shared with the agent until now. */
static void
touch_stack(void)
{
    volatile guint8 stack[STACK_SIZE];

    for (gsize i = 0; i < sizeof stack; i += 1024)
        stack[i] = 0;
}

/* Whatever of this the system does not permit is done without. */
static void
stay_in_memory(const Plan *plan)
{
#ifdef MCL_ONFAULT
    gint flags = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT; /* not the stacks of the agent's threads */
#else
    gint flags = MCL_CURRENT | MCL_FUTURE;
#endif
    gint is_locked = mlockall(flags);

    for (guint i = 0; i < plan->n_texts && is_locked == 0; i++)
        is_locked = mlock(plan->texts[i].start, plan->texts[i].size);
    memset(plan->stacks, 0, (gsize)plan->n_mounts * STACK_SIZE);
    touch_stack();
}

static void
come_first(void)
{
    static const struct sched_param lowest = { .sched_priority = 1 };
    gint fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (write(fd, "-1000", strlen("-1000")) < 0)
            errno = 0;
        close(fd);
    }
    setpriority(PRIO_PROCESS, 0, -20);
    sched_setscheduler(0, SCHED_FIFO, &lowest);
}

/* All signals are blocked; those that mean "end" are read. */
static void
settle(Plan *plan)
{
    sigset_t ending;

    close_others(plan);
    setsid();
    if (chdir("/") != 0)
        errno = 0; /* its directory then cannot be unmounted for a while */
    prctl(PR_SET_NAME, "qga-guardian", 0, 0, 0);
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGHUP);
    plan->signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
    plan->pid = getpid();
    come_first();
    stay_in_memory(plan);
}

static void
tell_expired(gint fd)
{
    static const char letter = EXPIRED;

    send(fd, &letter, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
admit(Plan *plan)
{
    gint fd = accept4(plan->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    guint i = plan->has_agent ? 1 : 0;

    if (fd < 0)
        return;
    plan->has_agent = TRUE;
    if (plan->has_expired)
        tell_expired(fd);
    while (i < CONNECTIONS_MAX && plan->connections[i] >= 0)
        i++;
    if (i < CONNECTIONS_MAX)
        plan->connections[i] = fd;
    else
        close(fd);
}

static void
freezing_is_over(Plan *plan)
{
    __atomic_store_n(&plan->is_over, TRUE, __ATOMIC_SEQ_CST);
}

static void
part_from(Plan *plan, guint i)
{
    close(plan->connections[i]);
    plan->connections[i] = -1;
    if (i == 0)
        freezing_is_over(plan);
}

/* Returns whether the freeze has ended. */
static gboolean
listen_to(Plan *plan, guint i)
{
    char letter;

    if (recv(plan->connections[i], &letter, 1, MSG_DONTWAIT) <= 0) {
        part_from(plan, i);
        return FALSE;
    }
    if (letter == FREEZING_IS_OVER)
        freezing_is_over(plan);
    return letter == RELEASED;
}

/* One wait, for at most the time that is left. Returns whether the freeze has ended; told to end
 * by the system, no time is left. */
static gboolean
attend(Plan *plan, gint64 until)
{
    struct pollfd polls[2 + CONNECTIONS_MAX] = { { plan->listener, POLLIN, 0 },
                                                 { plan->signals, POLLIN, 0 } };
    struct timespec left = timespec_of(MAX(until - now(), 0));
    struct signalfd_siginfo info;

    for (guint i = 0; i < CONNECTIONS_MAX; i++)
        polls[2 + i] = (struct pollfd){ plan->connections[i], POLLIN, 0 };
    if (ppoll(polls, G_N_ELEMENTS(polls), &left, NULL) <= 0)
        return FALSE;
    if (polls[1].revents && read(plan->signals, &info, sizeof info) > 0)
        plan->deadline = 0;
    for (guint i = 0; i < CONNECTIONS_MAX; i++)
        if (polls[2 + i].revents && listen_to(plan, i))
            return TRUE;
    if (polls[0].revents)
        admit(plan);
    return FALSE;
}

typedef struct {
    Plan *plan;
    Mount *mount;
} Thawer;

/* Shares the memory of the guardian, errno included. Passes are made until one has begun after
 * the end of all freezing; a guardian that was killed cannot tell of that any more. */
static gint
run_thawer(gpointer data)
{
    const Thawer *thawer = data;
    Plan *plan = thawer->plan;
    Mount *mount = thawer->mount;
    gboolean is_last;

    do {
        is_last = __atomic_load_n(&plan->is_over, __ATOMIC_SEQ_CST) || getppid() != plan->pid;
        while (plan->thaw(mount->fd) == 0)
            ;
        __atomic_add_fetch(&mount->n_passes, 1, __ATOMIC_SEQ_CST);
        if (!is_last)
            pause_ms(PASS_MS);
    } while (!is_last);
    __atomic_store_n(&mount->is_done, TRUE, __ATOMIC_SEQ_CST);
    return 0;
}

/* The top of a thawer's stack, with what it needs to know. */
static Thawer *
place_thawer(Plan *plan, guint i)
{
    guint8 *top = plan->stacks + (gsize)(i + 1) * STACK_SIZE;
    Thawer *thawer = (Thawer *)(gpointer)(top - 64);

    *thawer = (Thawer){ plan, &plan->mounts[i] };
    return thawer;
}

/* Those that could not have a process of their own. */
static void
thaw_alone(const Plan *plan)
{
    for (guint i = 0; i < plan->n_mounts; i++)
        if (plan->mounts[i].n_passes == -1)
            while (plan->thaw(plan->mounts[i].fd) == 0)
                ;
}

static void
start_thawers(Plan *plan)
{
    gboolean is_alone = FALSE;

    for (guint i = 0; i < plan->n_mounts; i++) {
        Thawer *thawer = place_thawer(plan, i);

        if (is_alone ||
            clone(run_thawer, thawer, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, thawer) < 0)
            is_alone = TRUE;
        if (is_alone)
            plan->mounts[i].n_passes = -1;
    }
    thaw_alone(plan);
}

static gboolean
have_passed(const Plan *plan)
{
    for (guint i = 0; i < plan->n_mounts; i++)
        if (__atomic_load_n(&plan->mounts[i].n_passes, __ATOMIC_SEQ_CST) == 0)
            return FALSE;
    return TRUE;
}

static gboolean
are_done(const Plan *plan)
{
    for (guint i = 0; i < plan->n_mounts; i++)
        if (plan->mounts[i].n_passes != -1 &&
            !__atomic_load_n(&plan->mounts[i].is_done, __ATOMIC_SEQ_CST))
            return FALSE;
    return TRUE;
}

static void
wait_briefly(const Plan *plan, gboolean (*condition)(const Plan *plan))
{
    for (guint i = 0; i < STRAGGLER_MS && !condition(plan); i++)
        pause_ms(1);
}

/* Those that are admitted later are told then. */
static void
tell_all_expired(Plan *plan)
{
    plan->has_expired = TRUE;
    for (guint i = 0; i < CONNECTIONS_MAX; i++)
        tell_expired(plan->connections[i]);
}

static void
close_door(const Plan *plan)
{
    unlinkat(plan->directory, SOCKET_NAME, 0);
}

/* Hear what was said before the deadline; a short one can pass before anything was heard. */
static void
catch_up(Plan *plan)
{
    for (guint i = 0; i < 2 + CONNECTIONS_MAX; i++)
        attend(plan, 0);
}

/* The agent's answer does not wait for a freeze that hangs, but as long as that may still freeze
 * something, nobody else may: the door stays open. */
static void
outlast_freeze(Plan *plan)
{
    tell_all_expired(plan);
    while (!plan->is_over)
        attend(plan, now() + G_USEC_PER_SEC);
    wait_briefly(plan, are_done);
    thaw_alone(plan);
    close_door(plan);
}

/* The verdict outlives the agent and the guardian as a file. */
static void
expire(Plan *plan)
{
    catch_up(plan);
    gboolean is_over = plan->is_over;

    start_thawers(plan);
    wait_briefly(plan, have_passed);
    renameat(plan->directory, GA_PERSIST_FROZEN, plan->directory, GA_PERSIST_EXPIRED);
    if (!is_over) {
        outlast_freeze(plan);
        return;
    }
    close_door(plan);
    tell_all_expired(plan);
}

static void G_GNUC_NORETURN
run_guardian(Plan *plan)
{
    gboolean is_released = FALSE;

    settle(plan);
    while (!is_released && now() < plan->deadline)
        is_released = attend(plan, plan->deadline);
    if (is_released)
        close_door(plan);
    else
        expire(plan);
    _exit(0);
}

/*
 * The agent's side.
 */

/* By way of the descriptor: the path of a directory may be longer than an address. */
static struct sockaddr_un
address_in(gint directory)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET_NAME, directory);
    return address;
}

static gint
open_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static gboolean
bind_private(gint fd, gint directory)
{
    struct sockaddr_un address = address_in(directory);

    if (unlinkat(directory, SOCKET_NAME, 0) != 0 && errno != ENOENT)
        return FALSE;
    /* The file gets the mode of the socket. The umask is that of all threads. */
    return fchmod(fd, 0600) == 0 &&
           bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(fd, BACKLOG) == 0;
}

static gboolean
connect_in(gint fd, gint directory)
{
    struct sockaddr_un address = address_in(directory);

    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static gint
add_text(struct dl_phdr_info *info, G_GNUC_UNUSED size_t size, void *data)
{
    Plan *plan = data;

    for (guint i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) && plan->n_texts < TEXTS_MAX)
            plan->texts[plan->n_texts++] = (Text){ (gpointer)(info->dlpi_addr + header->p_vaddr),
                                                   header->p_memsz };
    }
    return 0;
}

static gint
compare_fds(const void *a, const void *b)
{
    return *(const gint *)a - *(const gint *)b;
}

static Plan *
plan_new(const OsGuardianSpec *spec, gint directory, gint listener)
{
    Plan *plan = g_new0(Plan, 1);

    plan->directory = directory;
    plan->listener = listener;
    memset(plan->connections, -1, sizeof plan->connections);
    plan->deadline = spec->deadline;
    plan->thaw = spec->thaw;
    plan->n_mounts = spec->n_fds;
    plan->mounts = g_new0(Mount, spec->n_fds);
    plan->stacks = g_malloc((gsize)spec->n_fds * STACK_SIZE);
    plan->kept = g_new(gint, spec->n_fds + 2);
    for (guint i = 0; i < spec->n_fds; i++) {
        plan->mounts[i].fd = spec->fds[i];
        if (spec->fds[i] >= 0)
            plan->kept[plan->n_kept++] = spec->fds[i];
    }
    plan->kept[plan->n_kept++] = directory;
    plan->kept[plan->n_kept++] = listener;
    qsort(plan->kept, plan->n_kept, sizeof *plan->kept, compare_fds);
    dl_iterate_phdr(add_text, plan);
    return plan;
}

static void
plan_free(Plan *plan)
{
    g_free(plan->mounts);
    g_free(plan->stacks);
    g_free(plan->kept);
    g_free(plan);
}

/* Twice, so that it is the system's child: it may end when nobody here waits for it. */
static gboolean
fork_guardian(Plan *plan)
{
    pid_t pid = fork();
    gint status;

    if (pid == 0) {
        pid = fork();
        if (pid == 0)
            run_guardian(plan);
        _exit(pid > 0 ? 0 : errno);
    }
    if (pid < 0)
        return FALSE;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return FALSE;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    return errno == 0;
}

/* No signal must reach it before it can read them. */
static gboolean
fork_without_signals(Plan *plan)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    gboolean is_running = fork_guardian(plan);
    gint number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return is_running;
}

static gboolean
tell_ended(OsGuardian *guardian, gboolean has_expired)
{
    guardian->watch = 0;
    if (guardian->timer)
        g_source_remove(guardian->timer);
    guardian->timer = 0;
    guardian->ended(guardian->owner, has_expired);
    return G_SOURCE_REMOVE;
}

static gboolean
on_readable(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    OsGuardian *guardian = user_data;
    char letter = 0;

    if (recv(fd, &letter, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    return tell_ended(guardian, letter == EXPIRED);
}

static OsGuardian *
guardian_new(gint fd, gint64 deadline, OsGuardianEnded ended, gpointer owner)
{
    OsGuardian *guardian = g_new0(OsGuardian, 1);

    guardian->fd = fd;
    guardian->deadline = deadline;
    guardian->ended = ended;
    guardian->owner = owner;
    guardian->watch = g_unix_fd_add(fd, G_IO_IN, on_readable, guardian);
    return guardian;
}

/* The agent's end comes before the fork, so that it is the first in the queue. FALSE: errno. */
static gboolean
start_in(const OsGuardianSpec *spec, gint directory, gint listener, gint connection)
{
    if (listener < 0 || connection < 0 || !bind_private(listener, directory) ||
        !connect_in(connection, directory))
        return FALSE;

    Plan *plan = plan_new(spec, directory, listener);
    gboolean is_running = fork_without_signals(plan);
    gint number = errno;
    plan_free(plan);
    if (!is_running)
        unlinkat(directory, SOCKET_NAME, 0);
    errno = number;
    return is_running;
}

static void
close_if_open(gint fd)
{
    if (fd >= 0)
        close(fd);
}

OsGuardian *
os_guardian_fork(const OsGuardianSpec *spec, OsGuardianEnded ended, gpointer owner, GError **error)
{
    gint directory = open(spec->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    gint listener = open_socket(), connection = open_socket();

    if (directory >= 0 && start_in(spec, directory, listener, connection)) {
        close(directory);
        close(listener);
        return guardian_new(connection, spec->deadline, ended, owner);
    }
    qapi_set_errno(error, errno, "failed to start the guardian of the freeze");
    close_if_open(directory);
    close_if_open(listener);
    close_if_open(connection);
    return NULL;
}

/* -1: there is none. */
static gint
connect_to(const char *directory)
{
    gint folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    gint connection = open_socket();
    gboolean is_there = folder >= 0 && connection >= 0 && connect_in(connection, folder);

    close_if_open(folder);
    if (is_there)
        return connection;
    close_if_open(connection);
    return -1;
}

OsGuardian *
os_guardian_find(const char *directory, OsGuardianEnded ended, gpointer owner)
{
    gint connection = connect_to(directory);

    return connection >= 0 ? guardian_new(connection, 0, ended, owner) : NULL;
}

gboolean
os_guardian_exists(const char *directory)
{
    gint connection = connect_to(directory);

    close_if_open(connection);
    return connection >= 0;
}

static void
tell(gint connection, char letter)
{
    /* A guardian that has ended is heard of by the watch. */
    send(connection, &letter, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
os_guardian_dismiss(const char *directory)
{
    gint connection = connect_to(directory);

    if (connection >= 0)
        tell(connection, RELEASED);
    close_if_open(connection);
}

void
os_guardian_freezing_is_over(OsGuardian *guardian)
{
    tell(guardian->fd, FREEZING_IS_OVER);
}

static gboolean
on_silence(gpointer user_data)
{
    OsGuardian *guardian = user_data;

    guardian->timer = 0;
    g_source_remove(guardian->watch);
    return tell_ended(guardian, guardian->deadline && now() >= guardian->deadline);
}

void
os_guardian_release(OsGuardian *guardian)
{
    tell(guardian->fd, RELEASED);
    guardian->timer = g_timeout_add(RELEASE_MS, on_silence, guardian);
}

void
os_guardian_free(OsGuardian *guardian)
{
    if (!guardian)
        return;
    if (guardian->watch)
        g_source_remove(guardian->watch);
    if (guardian->timer)
        g_source_remove(guardian->timer);
    close(guardian->fd);
    g_free(guardian);
}
