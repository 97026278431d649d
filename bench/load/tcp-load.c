// Load for TCP servers that echo: every connection keeps `window` bytes under way and counts what comes back.
// Usage: tcp-load <host> <port> <connections> <message bytes> <milliseconds> [window messages]
// Prints one line of JSON: messages, seconds, latency percentiles in microseconds (window 1 only).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
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
#include <fcntl.h>

enum { MAX_EVENTS = 256, BUCKETS = 1 << 20 };

struct peer {
  int fd;
  uint64_t to_send;   // bytes that may be sent now
  uint64_t received;  // bytes of the message that is coming back
  uint64_t sent_at;   // nanoseconds
};

static uint32_t histogram[BUCKETS];  // one bucket a microsecond, the last one for all above

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int connect_to(const char *host, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &a.sin_addr) != 1) die("inet_pton");
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) die("connect");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static void watch(int epoll, struct peer *p, int op, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = p};
  if (epoll_ctl(epoll, op, p->fd, &e) != 0) die("epoll_ctl");
}

static const char *payload;

static void send_some(int epoll, struct peer *p, uint64_t chunk) {
  while (p->to_send > 0) {
    size_t n = p->to_send < chunk ? (size_t)p->to_send : (size_t)chunk;
    ssize_t w = send(p->fd, payload, n, MSG_NOSIGNAL);
    if (w < 0) {
      if (errno != EAGAIN) die("send");
      watch(epoll, p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      return;
    }
    p->to_send -= (uint64_t)w;
  }
  watch(epoll, p, EPOLL_CTL_MOD, EPOLLIN);
}

static uint64_t percentile(uint64_t total, double share) {
  uint64_t wanted = (uint64_t)((double)total * share), seen = 0;
  for (int i = 0; i < BUCKETS; i++) {
    seen += histogram[i];
    if (seen > wanted) return (uint64_t)i;
  }
  return BUCKETS;
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: tcp-load <host> <port> <connections> <message bytes> <milliseconds> [window]\n");
    return 2;
  }
  int connections = atoi(argv[3]);
  uint64_t bytes = strtoull(argv[4], NULL, 10), window = argc > 6 ? strtoull(argv[6], NULL, 10) : 1;
  uint64_t duration = strtoull(argv[5], NULL, 10) * 1000000u;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  char *zeros = malloc(bytes);
  static char in[1 << 20];
  memset(zeros, 'x', bytes);
  payload = zeros;
  struct peer *peers = calloc((size_t)connections, sizeof *peers);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < connections; i++) {
    peers[i].fd = connect_to(argv[1], atoi(argv[2]));
    watch(epoll, &peers[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  uint64_t start = now_ns(), messages = 0;
  for (int i = 0; i < connections; i++) {
    peers[i].to_send = bytes * window;
    peers[i].sent_at = start;
    send_some(epoll, &peers[i], bytes);
  }
  struct epoll_event events[MAX_EVENTS];
  uint64_t now = start;
  while (now - start < duration) {
    int n = epoll_wait(epoll, events, MAX_EVENTS, 100);
    now = now_ns();
    for (int i = 0; i < n; i++) {
      struct peer *p = events[i].data.ptr;
      if (events[i].events & EPOLLIN) {
        ssize_t r = recv(p->fd, in, sizeof in, 0);
        if (r == 0) { fprintf(stderr, "the server closed a connection\n"); return 1; }
        if (r < 0) { if (errno == EAGAIN) continue; die("recv"); }
        p->received += (uint64_t)r;
        while (p->received >= bytes) {
          p->received -= bytes;
          p->to_send += bytes;
          messages++;
          if (window == 1) {
            uint64_t us = (now - p->sent_at) / 1000;
            histogram[us < BUCKETS ? us : BUCKETS - 1]++;
            p->sent_at = now;
          }
        }
      }
      if (p->to_send > 0) send_some(epoll, p, bytes);
    }
  }
  double seconds = (double)(now - start) / 1e9;
  printf("{\"messages\":%llu,\"seconds\":%.4f", (unsigned long long)messages, seconds);
  if (window == 1) {
    printf(",\"p50us\":%llu,\"p99us\":%llu", (unsigned long long)percentile(messages, 0.5),
           (unsigned long long)percentile(messages, 0.99));
  }
  printf("}\n");
  return 0;
}
