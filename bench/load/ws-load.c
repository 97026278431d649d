// Load for WebSocket servers.
// Usage: ws-load echo <port> <connections> <message bytes> <milliseconds> [text|binary]
//        ws-load broadcast <port> <subscribers> <message bytes> <milliseconds> <window> <stalled>
//        ws-load idle <port> <connections>
// `broadcast`: whatever one client sends goes to all others. One publisher keeps `window` messages under way; `stalled`
// subscribers never read. A message of the report is one that a subscriber got. `idle`: one message each way, prints
// {"served":n}, and waits for the end of its input.
// The environment says how a peer is spoken to: WS_PATH, WS_PRELUDE (sent behind the handshake), WS_SKIP (frames that come
// before the first message), WS_BEFORE and WS_AFTER (around the text of a message), WS_DEFLATE=1 (offers compression).
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

enum { MAX_EVENTS = 256, BUCKETS = 1 << 20 };

struct peer {
  int fd;
  int skip;           // frames before the first message
  uint8_t header[14];
  int header_used;
  uint64_t left;      // bytes of the payload that is coming
  int in_payload;
  uint8_t begin[64];  // what the payload begins with
  size_t begin_used;
  size_t to_send;     // bytes of the frame that are not sent
  uint64_t sent_at;
};

static uint32_t histogram[BUCKETS];
static uint8_t *frame;        // of a client, masked
static size_t frame_length, stamp_at;
static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
static int port, epoll;
static const char *before = "", *after = "";

static void die(const char *what) { perror(what); exit(1); }
static const char *setting(const char *name, const char *otherwise) { const char *v = getenv(name); return v ? v : otherwise; }

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// A frame of a client; returns its length.
static size_t make_frame(uint8_t *out, int opcode, const uint8_t *payload, size_t length) {
  size_t at = 2;
  out[0] = (uint8_t)(0x80 | opcode);
  if (length < 126) out[1] = (uint8_t)(0x80 | length);
  else if (length < 65536) { out[1] = 0x80 | 126; out[2] = (uint8_t)(length >> 8); out[3] = (uint8_t)length; at = 4; }
  else { out[1] = 0x80 | 127; for (int i = 0; i < 8; i++) out[2 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i)); at = 10; }
  memcpy(out + at, mask, 4);
  at += 4;
  for (size_t i = 0; i < length; i++) out[at + i] = payload[i] ^ mask[i & 3];
  return at + length;
}

// The time in hexadecimal at the beginning of the text.
static void stamp(uint64_t now) {
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", (unsigned long long)now);
  size_t payload = stamp_at - strlen(before);
  for (size_t i = 0; i < 16; i++) frame[stamp_at + i] = (uint8_t)digits[i] ^ mask[(stamp_at + i - payload) & 3];
}

static void write_all(int fd, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
    if (n < 0) die("send");
    at += n;
    length -= (size_t)n;
  }
}

// Blocking: connects, shakes hands, sends the prelude.
static void open_peer(struct peer *p, int receive_buffer) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  memset(p, 0, sizeof *p);
  p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->fd < 0) die("socket");
  if (receive_buffer > 0) setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (connect(p->fd, (struct sockaddr *)&a, sizeof a) != 0) die("connect");
  int on = 1;
  setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char request[1024];
  int n = snprintf(request, sizeof request,
    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
    setting("WS_PATH", "/"), port, getenv("WS_DEFLATE") ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
  write_all(p->fd, request, (size_t)n);
  char head[4096];
  size_t got = 0;
  while (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4) != 0) {
    if (got == sizeof head || recv(p->fd, head + got, 1, 0) != 1) { fprintf(stderr, "no handshake: %.*s\n", (int)got, head); exit(1); }
    got++;
  }
  if (memcmp(head, "HTTP/1.1 101", 12) != 0) { fprintf(stderr, "refused: %.*s\n", (int)got, head); exit(1); }
  const char *prelude = setting("WS_PRELUDE", "");
  if (*prelude) {
    uint8_t out[256];
    write_all(p->fd, out, make_frame(out, 1, (const uint8_t *)prelude, strlen(prelude)));
  }
  p->skip = atoi(setting("WS_SKIP", "0"));
}

static void watch(struct peer *p, int op, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = p};
  if (epoll_ctl(epoll, op, p->fd, &e) != 0) die("epoll_ctl");
}

static void send_some(struct peer *p) {
  while (p->to_send > 0) {
    ssize_t n = send(p->fd, frame + frame_length - p->to_send, p->to_send, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) die("send");
      watch(p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      return;
    }
    p->to_send -= (size_t)n;
    if (p->to_send == 0) watch(p, EPOLL_CTL_MOD, EPOLLIN);
  }
}

// Counts the messages that are whole with these bytes; calls `got` for each.
static int take(struct peer *p, const uint8_t *in, size_t n, void (*got)(struct peer *)) {
  int whole = 0;
  size_t at = 0;
  while (at < n) {
    if (!p->in_payload) {
      p->header[p->header_used++] = in[at++];
      int need = 2;
      if (p->header_used >= 2) { int l = p->header[1] & 127; need = l < 126 ? 2 : l == 126 ? 4 : 10; }
      if (p->header_used < need) continue;
      int l = p->header[1] & 127;
      p->left = (uint64_t)l;
      if (l >= 126) { p->left = 0; for (int i = 2; i < need; i++) p->left = p->left << 8 | p->header[i]; }
      p->header_used = 0;
      p->begin_used = 0;
      p->in_payload = 1;
    }
    size_t there = n - at < p->left ? n - at : (size_t)p->left;
    size_t kept = sizeof p->begin - p->begin_used < there ? sizeof p->begin - p->begin_used : there;
    memcpy(p->begin + p->begin_used, in + at, kept);
    p->begin_used += kept;
    at += there;
    p->left -= there;
    if (p->left > 0) break;
    p->in_payload = 0;
    if ((p->header[0] & 15) >= 8) continue;
    if (p->skip > 0) { p->skip--; continue; }
    if (p->begin_used <= strlen(before)) continue;  // a heartbeat of another protocol
    whole++;
    got(p);
  }
  return whole;
}

static uint64_t messages, now;

static void got_echo(struct peer *p) {
  uint64_t us = (now - p->sent_at) / 1000;
  histogram[us < BUCKETS ? us : BUCKETS - 1]++;
  messages++;
}

static void got_broadcast(struct peer *p) {
  char digits[17] = {0};
  memcpy(digits, p->begin + strlen(before), 16);
  uint64_t us = (now - strtoull(digits, NULL, 16)) / 1000;
  histogram[us < BUCKETS ? us : BUCKETS - 1]++;
  messages++;
}

static uint64_t percentile(double share) {
  uint64_t wanted = (uint64_t)((double)messages * share), seen = 0;
  for (int i = 0; i < BUCKETS; i++) if ((seen += histogram[i]) > wanted) return (uint64_t)i;
  return BUCKETS;
}

static void drain_skipped(struct peer *p) {
  static uint8_t in[65536];
  while (p->skip > 0) {
    ssize_t n = recv(p->fd, in, 1, 0);
    if (n <= 0) { fprintf(stderr, "ended before its first messages\n"); exit(1); }
    take(p, in, (size_t)n, got_echo);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) { fprintf(stderr, "usage: ws-load echo|broadcast|idle <port> <connections> …\n"); return 2; }
  const char *mode = argv[1];
  port = atoi(argv[2]);
  int connections = atoi(argv[3]);
  size_t bytes = argc > 4 ? strtoull(argv[4], NULL, 10) : 16;
  uint64_t duration = argc > 5 ? strtoull(argv[5], NULL, 10) * 1000000u : 0;
  int broadcast = strcmp(mode, "broadcast") == 0, idle = strcmp(mode, "idle") == 0;
  int opcode = !broadcast && argc > 6 && strcmp(argv[6], "binary") == 0 ? 2 : 1;
  uint64_t window = broadcast && argc > 6 ? strtoull(argv[6], NULL, 10) : 1;
  int stalled = broadcast && argc > 7 ? atoi(argv[7]) : 0;
  before = setting("WS_BEFORE", "");
  after = setting("WS_AFTER", "");
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  size_t length = strlen(before) + bytes + strlen(after);
  uint8_t *payload = malloc(length);
  memcpy(payload, before, strlen(before));
  memset(payload + strlen(before), 'x', bytes);
  memcpy(payload + strlen(before) + bytes, after, strlen(after));
  frame = malloc(length + 14);
  frame_length = make_frame(frame, opcode, payload, length);
  stamp_at = frame_length - length + strlen(before);
  struct peer *peers = calloc((size_t)connections + 1, sizeof *peers);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  static uint8_t in[1 << 18];
  int total = connections + (broadcast ? 1 : 0);
  for (int i = 0; i < total; i++) {
    open_peer(&peers[i], i > 0 && i <= stalled && broadcast ? 4096 : 0);
    drain_skipped(&peers[i]);
    if (idle) {
      write_all(peers[i].fd, frame, frame_length);
      for (uint64_t had = messages; messages == had;) {
        ssize_t n = recv(peers[i].fd, in, sizeof in, 0);
        if (n <= 0) { fprintf(stderr, "no echo\n"); return 1; }
        take(&peers[i], in, (size_t)n, got_echo);
      }
    }
    fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
    if (!(broadcast && i > 0 && i <= stalled)) watch(&peers[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  if (idle) {
    printf("{\"served\":%d}\n", connections);
    fflush(stdout);
    while (read(0, in, sizeof in) > 0);
    return 0;
  }
  struct epoll_event events[MAX_EVENTS];
  uint64_t start = now_ns(), published = 0;
  uint64_t readers = (uint64_t)(connections - stalled);
  now = start;
  if (!broadcast)
    for (int i = 0; i < connections; i++) { peers[i].to_send = frame_length; peers[i].sent_at = now; send_some(&peers[i]); }
  while (now - start < duration) {
    while (broadcast && peers[0].to_send == 0 && published < messages / readers + window) {
      stamp(now_ns());
      peers[0].to_send = frame_length;
      published++;
      send_some(&peers[0]);
    }
    int n = epoll_wait(epoll, events, MAX_EVENTS, 100);
    now = now_ns();
    for (int i = 0; i < n; i++) {
      struct peer *p = events[i].data.ptr;
      if (events[i].events & EPOLLIN) {
        ssize_t r = recv(p->fd, in, sizeof in, 0);
        if (r == 0) { fprintf(stderr, "the server closed a connection\n"); return 1; }
        if (r < 0) { if (errno == EAGAIN) continue; die("recv"); }
        if (broadcast && p == &peers[0]) continue;
        if (broadcast) take(p, in, (size_t)r, got_broadcast);
        else if (take(p, in, (size_t)r, got_echo) > 0) { p->to_send = frame_length; p->sent_at = now; }
      }
      if (p->to_send > 0) send_some(p);
    }
  }
  double seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"messages\":%llu,\"seconds\":%.4f,\"bytes\":%llu,\"p50us\":%llu,\"p99us\":%llu}\n", (unsigned long long)messages, seconds,
         (unsigned long long)(messages * bytes), (unsigned long long)percentile(0.5), (unsigned long long)percentile(0.99));
  return 0;
}
