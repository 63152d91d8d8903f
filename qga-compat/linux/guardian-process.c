/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of a guardian. Everything that it needs is made before the fork: the agent
 * has threads, so that afterwards only system calls are safe; and while file systems are
 * frozen, memory must not be waited for, nor be written to.
 *
 * The end of its first connection says that freezing is over, too, since a thread that
 * hangs in FIFREEZE keeps its agent's descriptors open.
 */
#include "linux/guardian-process.h"

#include <errno.h>
#include <fcntl.h>
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/persist.h"
#include "linux/thawers.h"

/* The agent that freezes, the next one, and the one after that while its end is not noticed yet. */
#define CONNECTIONS_MAX 4

#define STACK_SIZE (16 * 1024) /* of which the process uses a part */

/* What a mount whose device is dead gets before the verdict is told without it. */
#define STRAGGLER_MS 1000

#define TEXTS_MAX 16 /* the program and its libraries, in memory */

#define USEC_PER_MSEC 1000

typedef struct {
    gpointer start;
    gsize size;
} Text;

/* What the process has. All of it is made by the agent. */
typedef struct Plan {
    void (*run)(struct Plan *plan); /* does not return */
    gint directory;
    gint listener;
    gint signals;                      /* opened by the process itself */
    gint connections[CONNECTIONS_MAX]; /* -1: none; the first is the agent's that freezes */
    gboolean has_agent;                /* that one came */
    gboolean has_expired;
    gboolean is_ending; /* the deadline has passed, or the system ends us: it is not put off */
    gint64 deadline;
    gint64 count; /* -1: freezing is not over */
    OsThawers *thawers;

    guint n_kept;
    gint *kept; /* its descriptors, in order */
    guint n_texts;
    Text texts[TEXTS_MAX];
} Plan;

void
os_guardian_tell(gint fd, OsGuardianMessage message)
{
    send(fd, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* That a peer has left with something unread is told before what it had said. */
gboolean
os_guardian_hear(gint fd, OsGuardianMessage *message)
{
    gssize size = recv(fd, message, sizeof *message, MSG_DONTWAIT);

    if (size < 0 && errno == ECONNRESET)
        size = recv(fd, message, sizeof *message, MSG_DONTWAIT);
    if (size >= 0)
        errno = 0;
    return size == sizeof *message;
}

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
 * In the process. From here to run_guardian(): only system calls.
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
    os_thawers_settle(plan->thawers);
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
    come_first();
    stay_in_memory(plan);
}

static void
tell_expired(gint fd)
{
    os_guardian_tell(fd, (OsGuardianMessage){ .letter = OS_GUARDIAN_EXPIRED });
}

/* Who comes too late hears of the end. */
static void
keep(Plan *plan, gint fd, gint64 deadline)
{
    if (plan->is_ending)
        return;
    plan->deadline = MAX(plan->deadline, deadline);
    os_guardian_tell(fd, (OsGuardianMessage){ plan->deadline, plan->count, OS_GUARDIAN_KEPT });
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
part_from(Plan *plan, guint i)
{
    close(plan->connections[i]);
    plan->connections[i] = -1;
    if (i == 0)
        os_thawers_freezing_is_over(plan->thawers);
}

/* Returns whether the freeze has ended. */
static gboolean
listen_to(Plan *plan, guint i)
{
    OsGuardianMessage message;

    if (!os_guardian_hear(plan->connections[i], &message)) {
        part_from(plan, i);
        return FALSE;
    }
    if (message.letter == OS_GUARDIAN_FREEZING_IS_OVER) {
        plan->count = message.count;
        os_thawers_freezing_is_over(plan->thawers);
    }
    if (message.letter == OS_GUARDIAN_KEEP)
        keep(plan, plan->connections[i], message.deadline);
    return message.letter == OS_GUARDIAN_RELEASED;
}

/* One wait, until then at most. Returns whether the freeze has ended. */
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
        plan->is_ending = TRUE;
    for (guint i = 0; i < CONNECTIONS_MAX; i++)
        if (polls[2 + i].revents && listen_to(plan, i))
            return TRUE;
    if (polls[0].revents)
        admit(plan);
    return FALSE;
}

static void
wait_briefly(const OsThawers *thawers, gboolean (*condition)(const OsThawers *thawers))
{
    for (guint i = 0; i < STRAGGLER_MS && !condition(thawers); i++)
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
    unlinkat(plan->directory, OS_GUARDIAN_SOCKET, 0);
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
    while (!os_thawers_is_freezing_over(plan->thawers))
        attend(plan, now() + G_USEC_PER_SEC);
    wait_briefly(plan->thawers, os_thawers_are_done);
    os_thawers_thaw_rest(plan->thawers);
    close_door(plan);
}

/* The verdict outlives the agent and the guardian as a file. */
static void
expire(Plan *plan)
{
    plan->is_ending = TRUE;
    catch_up(plan);
    gboolean is_over = os_thawers_is_freezing_over(plan->thawers);

    os_thawers_start(plan->thawers);
    wait_briefly(plan->thawers, os_thawers_have_passed);
    renameat(plan->directory, GA_PERSIST_FROZEN, plan->directory, GA_PERSIST_EXPIRED);
    if (!is_over) {
        outlast_freeze(plan);
        return;
    }
    close_door(plan);
    tell_all_expired(plan);
}

static void
run_guardian(Plan *plan)
{
    gboolean is_released = FALSE;

    settle(plan);
    while (!is_released && !plan->is_ending && now() < plan->deadline)
        is_released = attend(plan, plan->deadline);
    if (is_released)
        close_door(plan);
    else
        expire(plan);
    _exit(0);
}

/* Not a guardian: there is no freeze and no deadline. */
static void
run_thaw(Plan *plan)
{
    close_others(plan);
    prctl(PR_SET_NAME, "qga-thaw", 0, 0, 0);
    os_thawers_settle(plan->thawers);
    os_thawers_freezing_is_over(plan->thawers);
    os_thawers_start(plan->thawers);
    _exit(0);
}

/*
 * In the agent.
 */

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

/* NULL: errno. */
static Plan *
plan_new(const OsGuardianSpec *spec, void (*run)(Plan *plan), gint directory, gint listener)
{
    OsThawers *thawers = os_thawers_new(spec->fds, spec->n_fds, spec->thaw);

    if (!thawers)
        return NULL;

    Plan *plan = g_new0(Plan, 1);
    plan->run = run;
    plan->directory = directory;
    plan->listener = listener;
    memset(plan->connections, -1, sizeof plan->connections);
    plan->deadline = spec->deadline;
    plan->count = -1;
    plan->thawers = thawers;
    plan->kept = g_new(gint, spec->n_fds + 2);
    for (guint i = 0; i < spec->n_fds; i++)
        if (spec->fds[i] >= 0)
            plan->kept[plan->n_kept++] = spec->fds[i];
    plan->kept[plan->n_kept++] = directory;
    if (listener >= 0)
        plan->kept[plan->n_kept++] = listener;
    qsort(plan->kept, plan->n_kept, sizeof *plan->kept, compare_fds);
    dl_iterate_phdr(add_text, plan);
    return plan;
}

static void
plan_free(Plan *plan)
{
    os_thawers_free(plan->thawers);
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
            plan->run(plan);
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

gboolean
os_guardian_process_start(const OsGuardianSpec *spec, gint directory, gint listener)
{
    Plan *plan = plan_new(spec, run_guardian, directory, listener);

    if (!plan)
        return FALSE;

    gboolean is_running = fork_without_signals(plan);
    gint number = errno;

    plan_free(plan);
    errno = number;
    return is_running;
}

/* Until nobody has the other end any more. */
static void
wait_for_end(gint fd)
{
    char letter;

    while (read(fd, &letter, 1) < 0 && errno == EINTR)
        ;
}

void
os_guardian_process_thaw(const OsGuardianSpec *spec, OsThawed *ret_thawed)
{
    gint ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return;

    Plan *plan = plan_new(spec, run_thaw, ends[1], -1);
    gboolean is_running = plan && fork_without_signals(plan);

    close(ends[1]);
    if (is_running)
        wait_for_end(ends[0]);
    close(ends[0]);
    for (guint i = 0; plan && i < spec->n_fds; i++)
        ret_thawed[i] = os_thawers_result(plan->thawers, i);
    if (plan)
        plan_free(plan);
}
