// The latency of an echo while the server does something else: a client that was connected before, and new clients.
// Usage: probe-load <host> <port> <milliseconds> <command>
// Connects one client and lets it settle, sends the command on another, then for that long alternates between an echo
// of the first and one of a new client, one each millisecond. Prints one line of JSON in microseconds; `old` is the
// better of two clients that were there before, as one of them may be with the worker that is busy.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SAMPLES = 100000, OLD = 8 };

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static struct sockaddr_in to;

static int open_client(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
    perror("connect");
    exit(1);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Microseconds of one echo, or 0 when none came within `wait` milliseconds.
static uint64_t echo(int fd, int wait) {
  char in[8];
  uint64_t began = now_us();
  if (send(fd, "1234567\n", 8, MSG_NOSIGNAL) != 8) return 0;
  for (int got = 0; got < 8;) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, wait) != 1) return 0;
    ssize_t n = recv(fd, in, sizeof in - (size_t)got, 0);
    if (n <= 0) return 0;
    got += (int)n;
  }
  uint64_t took = now_us() - began;
  return took > 0 ? took : 1;
}

static int by_value(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static void print(const char *name, uint64_t *times, int count, const char *end) {
  qsort(times, (size_t)count, sizeof *times, by_value);
  printf("\"%s\":{\"count\":%d,\"p50us\":%llu,\"p99us\":%llu,\"maxus\":%llu}%s", name, count,
         (unsigned long long)(count > 0 ? times[count / 2] : 0), (unsigned long long)(count > 0 ? times[(int)(count * 0.99)] : 0),
         (unsigned long long)(count > 0 ? times[count - 1] : 0), end);
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: probe-load <host> <port> <milliseconds> <command>\n");
    return 2;
  }
  static uint64_t fresh_times[MAX_SAMPLES], old_times[MAX_SAMPLES];
  to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  int old[OLD], alive = -1;
  for (int i = 0; i < OLD; i++) {
    old[i] = open_client();
    echo(old[i], 1000);
  }
  int burner = open_client();
  echo(burner, 1000);
  char command[64];
  int length = snprintf(command, sizeof command, "%s\n", argv[4]);
  if (strcmp(argv[4], "none") != 0 && send(burner, command, (size_t)length, MSG_NOSIGNAL) != length) return 1;
  usleep(20000);
  // Which of those that were there before is with another worker than the busy one?
  for (int i = 0; i < OLD && alive < 0; i++)
    if (echo(old[i], 50) != 0) alive = old[i];
  uint64_t end = now_us() + strtoull(argv[3], NULL, 10) * 1000u;
  int fresh = 0, olds = 0, missing = 0;
  while (now_us() < end && fresh < MAX_SAMPLES) {
    uint64_t began = now_us();
    int fd = open_client();
    char in[8];
    int done = send(fd, "1234567\n", 8, MSG_NOSIGNAL) == 8 && recv(fd, in, 8, MSG_WAITALL) == 8;
    if (done) fresh_times[fresh++] = now_us() - began;
    else missing++;
    close(fd);
    if (alive >= 0) {
      uint64_t took = echo(alive, 1000);
      if (took > 0) old_times[olds++] = took;
      else missing++;
    }
    usleep(1000);
  }
  printf("{\"missing\":%d,", missing);
  print("fresh", fresh_times, fresh, ",");
  print("old", old_times, olds, "}\n");
  return 0;
}
