// A sudden mass of clients: all connect at once, from 127.0.0.2 to 127.0.0.9, send 8 bytes, wait for their echo, and
// stay. Then new clients come one after the other, each for one echo. Ends when its standard input does.
// With "http" they ask for / instead, and wait for an answer.
// Usage: flood-load <host> <port> <clients> <milliseconds to wait> <new clients> [http]
// Prints two lines of JSON: what happened to the mass, and the latency of the new clients in microseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 1024, MAX_ANSWER = 4096 };

struct client {
  int fd;
  int state;  // 0 connecting, 1 connected, 2 served, 3 refused: ended or reset before its echo
  int received;
};

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int by_value(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static int open_from(int source, int blocking) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
  if (fd < 0) die("socket");
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1u + (uint32_t)(source % 8))};
  if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: flood-load <host> <port> <clients> <milliseconds> <new clients> [http]\n");
    return 2;
  }
  int http = argc > 6 && strcmp(argv[6], "http") == 0;
  const char *message = http ? "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" : "12345678";
  const ssize_t size = (ssize_t)strlen(message);
  // An answer comes in one piece.
  const ssize_t wanted = http ? 1 : size;
  int count = atoi(argv[3]), fresh = atoi(argv[5]);
  uint64_t patience = strtoull(argv[4], NULL, 10) * 1000u;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) die("inet_pton");
  struct client *clients = calloc((size_t)count, sizeof *clients);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  uint64_t start = now_us();
  for (int i = 0; i < count; i++) {
    clients[i].fd = open_from(i, 0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = &clients[i]};
    if (connect(clients[i].fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &e) != 0) die("epoll_ctl");
  }
  int connected = 0, served = 0, refused = 0;
  struct epoll_event events[MAX_EVENTS];
  while (served + refused < count && now_us() - start < patience) {
    int n = epoll_wait(epoll, events, MAX_EVENTS, 50);
    for (int i = 0; i < n; i++) {
      struct client *c = events[i].data.ptr;
      if (c->state >= 2) continue;
      if (c->state == 0 && (events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error == 0) {
          c->state = 1;
          connected++;
          if (send(c->fd, message, (size_t)size, MSG_NOSIGNAL) != size) error = 1;
          struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
          epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
        }
        if (error != 0) {
          c->state = 3;
          refused++;
          epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
          continue;
        }
      }
      if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        char in[MAX_ANSWER];
        ssize_t r = recv(c->fd, in, sizeof in, 0);
        if (r < 0 && errno == EAGAIN) continue;
        if (r > 0 && (c->received += (int)r) >= wanted) {
          c->state = 2;
          served++;
        } else if (r <= 0) {
          c->state = 3;
          refused++;
          epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
        }
      }
    }
  }
  printf("{\"clients\":%d,\"connected\":%d,\"served\":%d,\"refused\":%d,\"seconds\":%.3f}\n", count, connected, served, refused,
         (double)(now_us() - start) / 1e6);
  fflush(stdout);
  uint64_t *times = calloc((size_t)fresh + 1, sizeof *times);
  int answered = 0;
  for (int i = 0; i < fresh; i++) {
    int fd = open_from(i, 1);
    struct timeval wait = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    uint64_t began = now_us();
    char in[MAX_ANSWER];
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, message, (size_t)size, MSG_NOSIGNAL) == size &&
        recv(fd, in, http ? sizeof in : (size_t)size, http ? 0 : MSG_WAITALL) >= wanted) {
      times[answered++] = now_us() - began;
    }
    close(fd);
  }
  qsort(times, (size_t)answered, sizeof *times, by_value);
  printf("{\"fresh\":%d,\"answered\":%d,\"p50us\":%llu,\"p99us\":%llu}\n", fresh, answered,
         (unsigned long long)(answered > 0 ? times[answered / 2] : 0),
         (unsigned long long)(answered > 0 ? times[(int)((double)answered * 0.99)] : 0));
  fflush(stdout);
  char end;
  while (read(0, &end, 1) > 0) {
  }
  return 0;
}
