// Load for HTTP/1.1 servers: every connection keeps `depth` requests under way, all the same, and counts what comes back;
// over TLS 1.3 when it is built with -DWITH_TLS -lssl -lcrypto.
// Usage: http-load <host> <port> <connections> <milliseconds> <depth> <target> [file with more fields, CR LF after each]
// Every answer must be as long as the first one, which is read with its Content-Length or its last chunk.
// With messages that take long, parts of one are counted.
// Prints one line of JSON: messages, bytes, seconds, latency percentiles in microseconds (depth 1 only).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

enum { MAX_EVENTS = 256, BUCKETS = 1 << 20, MAX_IN = 1 << 20 };

struct peer {
  int fd;
#ifdef WITH_TLS
  SSL *tls;
#endif
  uint64_t received;  // bytes of the answer that is coming
  uint64_t to_send;   // bytes of requests that may be sent now
  uint64_t sent_at;   // nanoseconds
};

static uint32_t histogram[BUCKETS];
static char *request;
static uint64_t request_bytes, depth, answer_bytes;
static char in[MAX_IN];

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
  return fd;
}

// Both are as those of the kernel, with EAGAIN.
#ifdef WITH_TLS
static SSL_CTX *context;

static ssize_t tls_result(SSL *tls, int result) {
  if (result > 0) return result;
  int why = SSL_get_error(tls, result);
  if (why == SSL_ERROR_ZERO_RETURN || (why == SSL_ERROR_SYSCALL && result == 0)) return 0;
  errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return -1;
}

static void open_peer(struct peer *p, const char *host, int port) {
  p->fd = connect_to(host, port);
  p->tls = SSL_new(context);
  SSL_set_fd(p->tls, p->fd);
  if (SSL_connect(p->tls) != 1) die("SSL_connect");
}

static void close_peer(struct peer *p) {
  SSL_free(p->tls);
  close(p->fd);
}

static ssize_t take(struct peer *p, char *into, size_t most) { return tls_result(p->tls, SSL_read(p->tls, into, (int)most)); }
static ssize_t put(struct peer *p, const char *bytes, size_t count) { return tls_result(p->tls, SSL_write(p->tls, bytes, (int)count)); }
#else
static void open_peer(struct peer *p, const char *host, int port) { p->fd = connect_to(host, port); }
static void close_peer(struct peer *p) { close(p->fd); }
static ssize_t take(struct peer *p, char *into, size_t most) { return recv(p->fd, into, most, 0); }
static ssize_t put(struct peer *p, const char *bytes, size_t count) { return send(p->fd, bytes, count, MSG_NOSIGNAL); }
#endif

// One request alone, to learn how long an answer is.
static uint64_t learn(const char *host, int port) {
  struct peer p = {0};
  open_peer(&p, host, port);
  if (put(&p, request, request_bytes) != (ssize_t)request_bytes) die("send");
  uint64_t got = 0;
  for (;;) {
    if (got == sizeof in - 1) { fprintf(stderr, "the head of an answer is too long\n"); exit(1); }
    ssize_t r = take(&p, in + got, sizeof in - 1 - got);
    if (r < 0) die("recv");
    if (r == 0) { fprintf(stderr, "the server closed the connection: %.*s\n", (int)got, in); exit(1); }
    got += (uint64_t)r;
    in[got] = 0;
    char *end = strstr(in, "\r\n\r\n");
    if (end == NULL) continue;
    if (strncmp(in, "HTTP/1.1 2", 10) != 0) { fprintf(stderr, "not answered with 2xx: %.*s\n", 64, in); exit(1); }
    char *length = strcasestr(in, "\r\ncontent-length:");
    if (length != NULL && length < end) {
      close_peer(&p);
      return (uint64_t)(end + 4 - in) + strtoull(length + 17, NULL, 10);
    }
    char *last = strstr(end, "\r\n0\r\n\r\n");
    if (last != NULL) {
      close_peer(&p);
      return (uint64_t)(last + 7 - in);
    }
  }
}

static void watch(int epoll, struct peer *p, int op, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = p};
  if (epoll_ctl(epoll, op, p->fd, &e) != 0) die("epoll_ctl");
}

// `request` holds `depth` requests, one behind the other.
static void send_some(int epoll, struct peer *p) {
  while (p->to_send > 0) {
    uint64_t at = (request_bytes - p->to_send % request_bytes) % request_bytes;
    uint64_t most = request_bytes * depth - at;
    ssize_t w = put(p, request + at, p->to_send < most ? p->to_send : most);
    if (w < 0) {
      if (errno != EAGAIN) die("send");
      watch(epoll, p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      return;
    }
    p->to_send -= (uint64_t)w;
  }
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
  if (argc < 7) {
    fprintf(stderr, "usage: http-load <host> <port> <connections> <milliseconds> <depth> <target> [file of fields]\n");
    return 2;
  }
  int port = atoi(argv[2]), connections = atoi(argv[3]);
  uint64_t duration = strtoull(argv[4], NULL, 10) * 1000000u;
  depth = strtoull(argv[5], NULL, 10);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  static char fields[65536];
  if (argc > 7) {
    FILE *f = fopen(argv[7], "rb");
    if (f == NULL) die(argv[7]);
    fields[fread(fields, 1, sizeof fields - 1, f)] = 0;
    fclose(f);
  }
  char *one = NULL;
  int n1 = asprintf(&one, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n", argv[6], argv[1], port, fields);
  if (n1 < 0) die("asprintf");
  request_bytes = (uint64_t)n1;
  request = malloc(request_bytes * depth);
  for (uint64_t i = 0; i < depth; i++) memcpy(request + i * request_bytes, one, request_bytes);
#ifdef WITH_TLS
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#endif
  answer_bytes = learn(argv[1], port);
  struct peer *peers = calloc((size_t)connections, sizeof *peers);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < connections; i++) {
    open_peer(&peers[i], argv[1], port);
    fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
    watch(epoll, &peers[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  uint64_t start = now_ns(), messages = 0, bytes = 0;
  for (int i = 0; i < connections; i++) {
    peers[i].to_send = request_bytes * depth;
    peers[i].sent_at = start;
    send_some(epoll, &peers[i]);
  }
  struct epoll_event events[MAX_EVENTS];
  uint64_t now = start;
  while (now - start < duration) {
    int n = epoll_wait(epoll, events, MAX_EVENTS, 100);
    now = now_ns();
    for (int i = 0; i < n; i++) {
      struct peer *p = events[i].data.ptr;
      while (events[i].events & EPOLLIN) {
        ssize_t r = take(p, in, sizeof in);
        if (r == 0) { fprintf(stderr, "the server closed a connection\n"); return 1; }
        if (r < 0) { if (errno == EAGAIN) break; die("recv"); }
        p->received += (uint64_t)r;
        bytes += (uint64_t)r;
        uint64_t whole = p->received / answer_bytes;
        p->received -= whole * answer_bytes;
        p->to_send += whole * request_bytes;
        messages += whole;
        if (depth == 1 && whole > 0) {
          uint64_t us = (now - p->sent_at) / 1000;
          histogram[us < BUCKETS ? us : BUCKETS - 1]++;
          p->sent_at = now;
        }
#ifdef WITH_TLS
        // What TLS holds already wakes nobody.
        if (SSL_pending(p->tls) > 0) continue;
#endif
        break;
      }
      if (p->to_send > 0) {
        send_some(epoll, p);
        if (p->to_send == 0 && (events[i].events & EPOLLOUT)) watch(epoll, p, EPOLL_CTL_MOD, EPOLLIN);
      }
    }
  }
  double seconds = (double)(now - start) / 1e9, parts = (double)bytes / (double)answer_bytes;
  if (messages < 1000) printf("{\"messages\":%.6f", parts);
  else printf("{\"messages\":%llu", (unsigned long long)messages);
  printf(",\"bytes\":%llu,\"seconds\":%.4f", (unsigned long long)bytes, seconds);
  if (depth == 1 && messages > 0) {
    printf(",\"p50us\":%llu,\"p99us\":%llu", (unsigned long long)percentile(messages, 0.5),
           (unsigned long long)percentile(messages, 0.99));
  }
  printf("}\n");
  return 0;
}
