/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floors: the least work an answer can cost on this machine
 *
 *   floor echo SOCKET            sends back every byte
 *   floor reply SOCKET REPLIES   answers the n-th line received with the n-th line of the file
 *                                REPLIES, and starts over behind its last line
 *   floor spawn COUNT PROGRAM    posix_spawn and waitpid in a loop; prints the seconds it took
 *   floor drain SOCKET           takes datagrams as a syslog daemon does; an empty one ends it,
 *                                and it prints how many came before
 *   floor send PORT FILE         writes the file to the device PORT
 *   floor take PORT SIZE         writes a byte to the device PORT, reads SIZE bytes from it, and
 *                                writes another byte
 *
 * The servers speak no protocol: what an agent takes longer than these is its own doing. Like an
 * agent they serve one client at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_SIZE = 1 << 20 };

typedef struct {
    char *text;
    size_t *starts; /* n_lines + 1 of them: the last one is the end of the text */
    size_t n_lines;
    size_t next;
} Replies;

static void
die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *
allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        die("malloc");
    return memory;
}

static size_t
count_lines(const char *text, size_t size)
{
    size_t lines = 0;
    const char *end = text + size;
    while ((text = memchr(text, '\n', (size_t)(end - text)))) {
        text++;
        lines++;
    }
    return lines;
}

static void
send_all(int client, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client, data, size, MSG_NOSIGNAL);
        if (sent < 0)
            return; /* the client left: its business */
        data += sent;
        size -= (size_t)sent;
    }
}

static Replies
load_replies(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        die(path);

    size_t size = (size_t)status.st_size;
    Replies replies = { .text = allocate(size) };
    for (size_t have = 0; have < size;) {
        ssize_t got = read(fd, replies.text + have, size - have);
        if (got <= 0)
            die(path);
        have += (size_t)got;
    }
    close(fd);

    replies.n_lines = count_lines(replies.text, size);
    replies.starts = allocate((replies.n_lines + 1) * sizeof *replies.starts);
    replies.starts[0] = 0;
    for (size_t i = 0; i < replies.n_lines; i++) {
        const char *start = replies.text + replies.starts[i];
        const char *newline = memchr(start, '\n', size - replies.starts[i]);
        replies.starts[i + 1] = (size_t)(newline + 1 - replies.text);
    }
    if (replies.n_lines == 0 || replies.starts[replies.n_lines] != size) {
        errno = EINVAL;
        die(path);
    }
    return replies;
}

static void
send_replies(int client, Replies *replies, size_t wanted)
{
    while (wanted > 0) {
        size_t left = replies->n_lines - replies->next;
        size_t count = wanted < left ? wanted : left;
        size_t start = replies->starts[replies->next];
        send_all(client, replies->text + start, replies->starts[replies->next + count] - start);
        replies->next = (replies->next + count) % replies->n_lines;
        wanted -= count;
    }
}

static int
bind_socket(const char *path, int type)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        die(path);
    }
    strcpy(address.sun_path, path);

    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die(path);
    return fd;
}

/* Without replies every byte goes back. Ends with the process. */
static void
serve(const char *path, Replies *replies)
{
    char *input = allocate(INPUT_SIZE);
    int listener = bind_socket(path, SOCK_STREAM);
    if (listen(listener, 1) < 0)
        die("listen");

    while (true) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            die("accept");

        ssize_t got;
        while ((got = recv(client, input, INPUT_SIZE, 0)) > 0) {
            if (replies)
                send_replies(client, replies, count_lines(input, (size_t)got));
            else
                send_all(client, input, (size_t)got);
        }
        close(client);
    }
}

static double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
spawn(long count, char *program)
{
    char *const arguments[] = { program, NULL };
    char *const environment[] = { NULL };

    double start = now();
    for (long i = 0; i < count; i++) {
        pid_t child;
        int status = 0;
        errno = posix_spawn(&child, program, NULL, NULL, arguments, environment);
        if (errno || waitpid(child, &status, 0) < 0)
            die(program);
        if (status != 0) {
            fprintf(stderr, "floor: %s: wait status %d\n", program, status);
            exit(1);
        }
    }
    printf("%.9f\n", now() - start);
}

static void
drain(const char *path)
{
    char line[8192];
    long count = 0;
    int fd = bind_socket(path, SOCK_DGRAM);
    if (chmod(path, 0666) < 0)
        die(path);

    while (recv(fd, line, sizeof line, 0) > 0)
        count++;
    printf("%ld\n", count);
}

static void
write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0)
            die("write");
        data += written;
        size -= (size_t)written;
    }
}

static int
open_port(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

static void
send_file(const char *port, const char *path)
{
    char *data = allocate(INPUT_SIZE);
    int to = open_port(port);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    if (from < 0)
        die(path);

    while ((got = read(from, data, INPUT_SIZE)) > 0)
        write_all(to, data, (size_t)got);
    if (got < 0)
        die(path);
}

static void
take_bytes(const char *port, long size)
{
    char *data = allocate(INPUT_SIZE);
    int fd = open_port(port);

    write_all(fd, "r", 1);
    while (size > 0) {
        ssize_t got = read(fd, data, INPUT_SIZE);
        if (got <= 0)
            die(port);
        size -= got;
    }
    write_all(fd, "d", 1);
}

int
main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";

    if (strcmp(mode, "echo") == 0 && argc == 3) {
        serve(argv[2], NULL);
    } else if (strcmp(mode, "reply") == 0 && argc == 4) {
        Replies replies = load_replies(argv[3]);
        serve(argv[2], &replies);
    } else if (strcmp(mode, "spawn") == 0 && argc == 4) {
        spawn(atol(argv[2]), argv[3]);
    } else if (strcmp(mode, "drain") == 0 && argc == 3) {
        drain(argv[2]);
    } else if (strcmp(mode, "send") == 0 && argc == 4) {
        send_file(argv[2], argv[3]);
    } else if (strcmp(mode, "take") == 0 && argc == 4) {
        take_bytes(argv[2], atol(argv[3]));
    } else {
        fprintf(stderr, "usage: floor echo SOCKET | reply SOCKET REPLIES | spawn COUNT PROGRAM | "
                        "drain SOCKET | send PORT FILE | take PORT SIZE\n");
        return 2;
    }
    return 0;
}
