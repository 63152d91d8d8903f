/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load: the client every contestant of the benchmark is measured with
 *
 *   load exchange SOCKET REQUESTS REPLIES [NAME=NUMBER...]
 *   load exec SOCKET COUNT PROGRAM
 *   load start SOCKET COUNT COMMAND [ARGUMENT...]
 *
 * "exchange" sends the lines of the file REQUESTS and expects exactly the lines of the file
 * REPLIES, byte for byte. NAME is one of
 *   depth    requests sent at once before their replies are read (1)
 *   connect  start a new connection before every so many requests (0: one for all)
 *   repeat   how often to go through the file (1)
 *   seconds  go on through the file for that long instead
 *   pid      whose CPU time to report
 * "exec" runs PROGRAM through guest-exec and asks guest-exec-status until it has exited with 0.
 * "start" starts COMMAND, waits for its first answer to guest-ping and kills it.
 *
 * The result is one JSON object on stdout; durations are in seconds. A wrong or missing answer
 * ends the program with status 1. Clocks stand still while replies are compared, so that the
 * comparing is not charged to the server.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_TIMEOUT_SECONDS = 20 };

static const char PING[] = "{\"execute\": \"guest-ping\"}\n";
static const char PONG[] = "{\"return\": {}}\n";

typedef struct {
    char *text;
    size_t *starts; /* n + 1 of them: the last one is the end of the text */
    size_t n;
} Lines;

typedef struct {
    double *seconds;
    size_t n, space;
} Durations;

typedef struct {
    long depth, connect, repeat, seconds, pid;
} Options;

static void
die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
die_answer(const char *what, const char *answer, size_t size)
{
    fprintf(stderr, "load: %s; the answer begins: %.*s\n", what, (int)(size < 300 ? size : 300),
            answer);
    exit(1);
}

static void *
allocate(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        die("malloc");
    return memory;
}

static double
read_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) < 0)
        die("clock");
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double
now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* CPU time of all threads of a process, also of those that have ended; 0 for no process. */
static double
cpu_time(pid_t pid)
{
    clockid_t clock;
    if (pid == 0)
        return 0;
    errno = clock_getcpuclockid(pid, &clock);
    if (errno)
        die("CPU clock");
    return read_clock(clock);
}

static void
durations_add(Durations *durations, double seconds)
{
    if (durations->n == durations->space) {
        durations->space = durations->space ? 2 * durations->space : 1024;
        durations->seconds = realloc(durations->seconds,
                                     durations->space * sizeof *durations->seconds);
        if (!durations->seconds)
            die("realloc");
    }
    durations->seconds[durations->n++] = seconds;
}

static int
compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sorts the durations. */
static void
report(Durations *durations, size_t requests, double cpu)
{
    double total = 0;
    if (!durations->n)
        die("nothing was measured");
    for (size_t i = 0; i < durations->n; i++)
        total += durations->seconds[i];
    qsort(durations->seconds, durations->n, sizeof *durations->seconds, compare_doubles);

    size_t last = durations->n - 1;
    printf("{\"requests\": %zu, \"seconds\": %.9f, \"cpu\": %.9f, "
           "\"median\": %.9f, \"p99\": %.9f, \"max\": %.9f}\n",
           requests, total, cpu, durations->seconds[last / 2], durations->seconds[last * 99 / 100],
           durations->seconds[last]);
}

static Lines
load_lines(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        die(path);

    size_t size = (size_t)status.st_size;
    Lines lines = { .text = allocate(size) };
    for (size_t have = 0; have < size;) {
        ssize_t got = read(fd, lines.text + have, size - have);
        if (got <= 0)
            die(path);
        have += (size_t)got;
    }
    close(fd);

    size_t space = 0;
    for (size_t i = 0; i < size; i++)
        space += lines.text[i] == '\n';
    lines.starts = allocate((space + 1) * sizeof *lines.starts);
    lines.starts[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (lines.text[i] == '\n')
            lines.starts[++lines.n] = i + 1;
    }
    return lines;
}

/* Returns -1 with errno where the server is not there yet. */
static int
try_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        die(path);
    }
    strcpy(address.sun_path, path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    struct timeval patience = { .tv_sec = ANSWER_TIMEOUT_SECONDS };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;

    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int
connect_to(const char *path)
{
    int fd = try_connect(path);
    if (fd < 0)
        die(path);
    return fd;
}

static void
send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0)
            die("send");
        data += sent;
        size -= (size_t)sent;
    }
}

static void
receive_exactly(int fd, char *buffer, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t got = recv(fd, buffer + have, size - have, 0);
        if (got <= 0)
            die_answer(got == 0 ? "the server hung up" : strerror(errno), buffer, have);
        have += (size_t)got;
    }
}

/* One line, NUL-terminated behind its newline. */
static void
receive_line(int fd, char *buffer, size_t size)
{
    size_t have = 0;
    while (have == 0 || buffer[have - 1] != '\n') {
        if (have == size - 1)
            die_answer("an answer is too long", buffer, have);
        ssize_t got = recv(fd, buffer + have, size - 1 - have, 0);
        if (got <= 0)
            die_answer(got == 0 ? "the server hung up" : strerror(errno), buffer, have);
        have += (size_t)got;
    }
    buffer[have] = '\0';
}

static size_t
largest_batch(const Lines *lines, size_t depth)
{
    size_t largest = 0;
    for (size_t i = 0; i < lines->n; i++) {
        size_t end = i + depth < lines->n ? i + depth : lines->n;
        size_t size = lines->starts[end] - lines->starts[i];
        largest = size > largest ? size : largest;
    }
    return largest;
}

static Options
parse_options(char **arguments)
{
    Options options = { .depth = 1, .repeat = 1 };
    const struct {
        const char *name;
        long *value;
    } table[] = {
        { "depth", &options.depth },   { "connect", &options.connect },
        { "repeat", &options.repeat }, { "seconds", &options.seconds },
        { "pid", &options.pid },
    };

    for (; *arguments; arguments++) {
        size_t length = strcspn(*arguments, "="), i = 0;
        while (i < sizeof table / sizeof *table &&
               (strlen(table[i].name) != length || strncmp(table[i].name, *arguments, length)))
            i++;
        if (i == sizeof table / sizeof *table || (*arguments)[length] != '=') {
            fprintf(stderr, "load: what is %s?\n", *arguments);
            exit(2);
        }
        *table[i].value = atol(*arguments + length + 1);
    }
    return options;
}

static void
exchange(const char *socket_path, const char *requests_path, const char *replies_path,
         Options options)
{
    Lines requests = load_lines(requests_path), replies = load_lines(replies_path);
    if (requests.n == 0 || requests.n != replies.n) {
        fprintf(stderr, "load: %zu requests, %zu replies\n", requests.n, replies.n);
        exit(1);
    }

    /* Touched once before the clock runs: the first reply must not pay for its page faults. */
    size_t depth = (size_t)options.depth, space = largest_batch(&replies, depth);
    char *buffer = allocate(space);
    memset(buffer, 0, space);

    Durations durations = { 0 };
    size_t sent = 0;
    int fd = options.connect ? -1 : connect_to(socket_path);
    double start = now(), cpu = cpu_time((pid_t)options.pid);

    for (long pass = 0;
         options.seconds ? now() - start < (double)options.seconds : pass < options.repeat;
         pass++) {
        for (size_t i = 0; i < requests.n; i += depth) {
            size_t end = i + depth < requests.n ? i + depth : requests.n;
            const char *expected = replies.text + replies.starts[i];
            size_t size = replies.starts[end] - replies.starts[i];

            double before = now();
            if (options.connect && i % (size_t)options.connect == 0) {
                if (fd >= 0)
                    close(fd);
                fd = connect_to(socket_path);
            }
            send_all(fd, requests.text + requests.starts[i],
                     requests.starts[end] - requests.starts[i]);
            receive_exactly(fd, buffer, size);
            durations_add(&durations, now() - before);

            if (memcmp(buffer, expected, size) != 0)
                die_answer("an answer is wrong", buffer, size);
            sent += end - i;
        }
    }
    report(&durations, sent, cpu_time((pid_t)options.pid) - cpu);
    close(fd);
}

static void
exec_once(int fd, const char *program)
{
    char request[512], answer[1024];
    long pid;

    int size = snprintf(request, sizeof request,
                        "{\"execute\": \"guest-exec\", \"arguments\": {\"path\": \"%s\"}}\n",
                        program);
    send_all(fd, request, (size_t)size);
    receive_line(fd, answer, sizeof answer);
    if (sscanf(answer, "{\"return\": {\"pid\": %ld}}\n", &pid) != 1)
        die_answer("no pid", answer, strlen(answer));

    size = snprintf(request, sizeof request,
                    "{\"execute\": \"guest-exec-status\", \"arguments\": {\"pid\": %ld}}\n", pid);
    do {
        send_all(fd, request, (size_t)size);
        receive_line(fd, answer, sizeof answer);
    } while (strstr(answer, "\"exited\": false"));

    if (!strstr(answer, "\"exited\": true") || !strstr(answer, "\"exitcode\": 0"))
        die_answer("the program failed", answer, strlen(answer));
}

static void
exec_many(const char *socket_path, long count, const char *program)
{
    Durations durations = { 0 };
    int fd = connect_to(socket_path);

    for (long i = 0; i < count; i++) {
        double before = now();
        exec_once(fd, program);
        durations_add(&durations, now() - before);
    }
    report(&durations, durations.n, 0);
    close(fd);
}

static int
connect_soon(const char *path)
{
    const struct timespec pause = { .tv_nsec = 10 * 1000 };

    for (double start = now(); now() - start < ANSWER_TIMEOUT_SECONDS;) {
        int fd = try_connect(path);
        if (fd >= 0)
            return fd;
        if (errno != ENOENT && errno != ECONNREFUSED)
            die(path);
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "load: nobody listens on %s\n", path);
    exit(1);
}

static double
start_once(const char *socket_path, char **command)
{
    pid_t server;
    char answer[sizeof PONG];
    unlink(socket_path);

    double before = now();
    errno = posix_spawnp(&server, command[0], NULL, NULL, command, environ);
    if (errno)
        die(command[0]);
    int fd = connect_soon(socket_path);
    send_all(fd, PING, strlen(PING));
    receive_exactly(fd, answer, strlen(PONG));
    double seconds = now() - before;

    if (memcmp(answer, PONG, strlen(PONG)) != 0)
        die_answer("no pong", answer, strlen(PONG));
    close(fd);
    kill(server, SIGKILL); /* qemu-ga's handler of SIGTERM can hang */
    waitpid(server, NULL, 0);
    return seconds;
}

static void
start_many(const char *socket_path, long count, char **command)
{
    Durations durations = { 0 };

    /* A sleep of 10 us would otherwise last 60: nearly the time a small server needs to start. */
    prctl(PR_SET_TIMERSLACK, 1);
    for (long i = 0; i < count; i++)
        durations_add(&durations, start_once(socket_path, command));
    report(&durations, durations.n, 0);
}

int
main(int argc, char **argv)
{
    const char *mode = argc > 4 ? argv[1] : "";

    if (strcmp(mode, "exchange") == 0) {
        exchange(argv[2], argv[3], argv[4], parse_options(argv + 5));
    } else if (strcmp(mode, "exec") == 0 && argc == 5) {
        exec_many(argv[2], atol(argv[3]), argv[4]);
    } else if (strcmp(mode, "start") == 0) {
        start_many(argv[2], atol(argv[3]), argv + 4);
    } else {
        fprintf(stderr, "usage: load exchange SOCKET REQUESTS REPLIES [NAME=NUMBER...] | "
                        "exec SOCKET COUNT PROGRAM | start SOCKET COUNT COMMAND...\n");
        return 2;
    }
    return 0;
}
