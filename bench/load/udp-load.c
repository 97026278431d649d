// Load for UDP echo servers: keeps a window of datagrams in flight on each of several sockets for a while, and prints
// how many answers came. Sends with sendmmsg and receives with recvmmsg, so it costs less than any server it drives.
// usage: udp-load host port seconds sockets window bytes
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SOCKETS = 256, MAX_WINDOW = 256, MAX_BYTES = 2048 };

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static char data[MAX_BYTES], sink[MAX_WINDOW][MAX_BYTES];
static struct iovec out_parts[MAX_WINDOW], in_parts[MAX_WINDOW];
static struct mmsghdr out[MAX_WINDOW], in[MAX_WINDOW];

static void send_some(int fd, int count) {
  while (count > 0) {
    int sent = sendmmsg(fd, out, (unsigned)count, 0);
    if (sent < 0 && errno != EINTR && errno != ECONNREFUSED) {
      perror("sendmmsg");
      exit(1);
    }
    if (sent > 0) count -= sent;
  }
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: udp-load host port seconds sockets window bytes\n");
    return 2;
  }
  int sockets = atoi(argv[4]), window = atoi(argv[5]), bytes = atoi(argv[6]);
  uint64_t length_ms = (uint64_t)(atof(argv[3]) * 1000);
  if (sockets < 1 || sockets > MAX_SOCKETS || window < 1 || window > MAX_WINDOW || bytes < 1 || bytes > MAX_BYTES) return 2;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) return 2;
  memset(data, 'x', sizeof data);
  for (int i = 0; i < window; i += 1) {
    out_parts[i] = (struct iovec){data, (size_t)bytes};
    out[i].msg_hdr = (struct msghdr){.msg_iov = &out_parts[i], .msg_iovlen = 1};
    in_parts[i] = (struct iovec){sink[i], MAX_BYTES};
    in[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
  }
  struct pollfd polled[MAX_SOCKETS];
  uint64_t last[MAX_SOCKETS], answers = 0, resent = 0, start = now_ms(), end = start + length_ms;
  for (int i = 0; i < sockets; i += 1) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
      perror("connect");
      return 1;
    }
    polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    last[i] = start;
    send_some(fd, window);
  }
  for (uint64_t now = start; now < end; now = now_ms()) {
    if (poll(polled, (nfds_t)sockets, 20) < 0) return 1;
    for (int i = 0; i < sockets; i += 1) {
      int count = (polled[i].revents & POLLIN) != 0 ? recvmmsg(polled[i].fd, in, (unsigned)window, MSG_DONTWAIT, NULL) : 0;
      if (count > 0) {
        answers += (uint64_t)count;
        last[i] = now;
        send_some(polled[i].fd, count);
      } else if (now - last[i] > 100) {
        // Datagrams were lost: fill the window again.
        resent += (uint64_t)window;
        last[i] = now;
        send_some(polled[i].fd, window);
      }
    }
  }
  printf("{\"messages\":%llu,\"resent\":%llu,\"seconds\":%.3f}\n", (unsigned long long)answers,
         (unsigned long long)resent, (double)(now_ms() - start) / 1000);
  return 0;
}
