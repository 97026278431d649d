// The least that an answer can cost: one thread, epoll, one read and one write for each event; heads are not read.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_EVENTS = 256 };

static char buffer[256 * 1024];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void write_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
    if (n > 0) {
      bytes += n;
      count -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
    } else {
      return;
    }
  }
}

static const char hello[] =
    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 14\r\n\r\nHello, world!\n";
static char answers[256 * sizeof hello];

// As many answers as there are ends of heads, in one write. A head that is cut between two reads is not looked for.
static void answer(int fd, size_t count) {
  size_t out = 0;
  for (char *at = buffer; (at = memmem(at, count - (size_t)(at - buffer), "\r\n\r\n", 4)) != NULL; at += 4) {
    if (out + sizeof hello > sizeof answers) {
      write_all(fd, answers, out);
      out = 0;
    }
    memcpy(answers + out, hello, sizeof hello - 1);
    out += sizeof hello - 1;
  }
  write_all(fd, answers, out);
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[MAX_EVENTS];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(epoll, events, MAX_EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        for (int client; (client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
          int on = 1;
          setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          struct epoll_event add = {.events = EPOLLIN, .data.fd = client};
          epoll_ctl(epoll, EPOLL_CTL_ADD, client, &add);
        }
        continue;
      }
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n > 0) answer(fd, (size_t)n);
      else if (n == 0 || errno != EAGAIN) close(fd);
    }
  }
}
