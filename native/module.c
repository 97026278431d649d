// The addon's door: errors, addresses, and calls on plain descriptors. What waits for events is in udp-batches.c and streams.c.
#include "moorage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Throws an Error with `code`, `errno` (negative, as Node has it) and `syscall`.
napi_value throw_errno(napi_env env, int error, const char *syscall) {
  char text[128];
  const char *name = uv_err_name(-error);
  napi_value message, code, number, call, thrown;
  snprintf(text, sizeof text, "%s %s", syscall, name);
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok) return NULL;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &call);
  napi_create_int32(env, -error, &number);
  if (napi_create_error(env, code, message, &thrown) != napi_ok) return NULL;
  napi_set_named_property(env, thrown, "errno", number);
  napi_set_named_property(env, thrown, "syscall", call);
  napi_throw(env, thrown);
  return NULL;
}

bool get_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted) return true;
  napi_throw_type_error(env, NULL, "too few arguments");
  return false;
}

bool get_int(napi_env env, napi_value value, int32_t *result) {
  if (napi_get_value_int32(env, value, result) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "a number is expected");
  return false;
}

// A text that does not fit is cut, which no caller accepts as an address: `size` is one more than the longest.
bool get_text(napi_env env, napi_value value, char *text, size_t size, size_t *length) {
  if (napi_get_value_string_utf8(env, value, text, size, length) == napi_ok) return true;
  napi_throw_type_error(env, NULL, "a string is expected");
  return false;
}

napi_value make_int(napi_env env, int32_t value) {
  napi_value result;
  return napi_create_int32(env, value, &result) == napi_ok ? result : NULL;
}

napi_value export_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value) != napi_ok) return NULL;
  if (napi_set_named_property(env, exports, name, value) != napi_ok) return NULL;
  return exports;
}

// Reads a numeric host. An IPv4 host is mapped where the socket is IPv6. `family` may be AF_UNSPEC.
bool parse_ip(const char *host, int port, int family, address *to, socklen_t *length) {
  memset(to, 0, sizeof *to);
  struct in_addr v4;
  if (family != AF_INET6 && inet_pton(AF_INET, host, &to->v4.sin_addr) == 1) {
    to->v4.sin_family = AF_INET;
    to->v4.sin_port = htons((uint16_t)port);
    *length = sizeof to->v4;
    return true;
  }
  if (family == AF_INET) return false;
  char plain[INET6_ADDRSTRLEN + 8];
  const char *zone = strchr(host, '%');
  size_t bytes = zone == NULL ? strlen(host) : (size_t)(zone - host);
  if (bytes >= sizeof plain) return false;
  memcpy(plain, host, bytes);
  plain[bytes] = 0;
  to->v6.sin6_family = AF_INET6;
  to->v6.sin6_port = htons((uint16_t)port);
  *length = sizeof to->v6;
  if (inet_pton(AF_INET, plain, &v4) == 1) {
    to->v6.sin6_addr.s6_addr[10] = to->v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(to->v6.sin6_addr.s6_addr + 12, &v4, 4);
    return true;
  }
  if (zone != NULL) {
    to->v6.sin6_scope_id = if_nametoindex(zone + 1);
    if (to->v6.sin6_scope_id == 0) to->v6.sin6_scope_id = (uint32_t)strtoul(zone + 1, NULL, 10);
  }
  return inet_pton(AF_INET6, plain, &to->v6.sin6_addr) == 1;
}

// [host, port] or a path; an IPv4 address seen through an IPv6 socket is plain IPv4; '@name' is an abstract name.
napi_value make_address(napi_env env, const address *from, socklen_t length) {
  char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
  napi_value pair, text, port;
  if (length >= sizeof from->v4 && from->any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &from->v4.sin_addr, host, sizeof host);
    napi_create_int32(env, ntohs(from->v4.sin_port), &port);
  } else if (length >= sizeof from->v6 && from->any.sa_family == AF_INET6) {
    if (IN6_IS_ADDR_V4MAPPED(&from->v6.sin6_addr)) {
      inet_ntop(AF_INET, from->v6.sin6_addr.s6_addr + 12, host, sizeof host);
    } else {
      inet_ntop(AF_INET6, &from->v6.sin6_addr, host, INET6_ADDRSTRLEN);
      char zone[IF_NAMESIZE];
      if (from->v6.sin6_scope_id != 0 && if_indextoname(from->v6.sin6_scope_id, zone) != NULL) {
        strcat(host, "%");
        strcat(host, zone);
      }
    }
    napi_create_int32(env, ntohs(from->v6.sin6_port), &port);
  } else {
    size_t bytes = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
    char path[sizeof from->path.sun_path];
    memcpy(path, from->path.sun_path, bytes);
    if (bytes > 0 && path[0] == 0) path[0] = '@';
    else bytes = strnlen(path, bytes);
    return napi_create_string_utf8(env, path, bytes, &text) == napi_ok ? text : NULL;
  }
  if (napi_create_array_with_length(env, 2, &pair) != napi_ok) return NULL;
  napi_create_string_utf8(env, host, NAPI_AUTO_LENGTH, &text);
  napi_set_element(env, pair, 0, text);
  napi_set_element(env, pair, 1, port);
  return pair;
}

static int set_flag(int fd, int level, int name) {
  int on = 1;
  return setsockopt(fd, level, name, &on, sizeof on);
}

static napi_value fail_closing(napi_env env, int fd, const char *syscall) {
  int error = errno;
  close(fd);
  return throw_errno(env, error, syscall);
}

// Opens and binds. SOCK_STREAM sockets get SO_REUSEADDR as every listener does, or a restart waits for TIME_WAIT.
static int open_bound(napi_env env, int type, napi_value *arguments) {
  char host[128];
  size_t length;
  int32_t port, flags;
  address to;
  socklen_t bytes;
  if (!get_text(env, arguments[0], host, sizeof host, &length) || !get_int(env, arguments[1], &port) ||
      !get_int(env, arguments[2], &flags))
    return -1;
  if (!parse_ip(host, port, AF_UNSPEC, &to, &bytes)) {
    throw_errno(env, EINVAL, "bind");
    return -1;
  }
  int fd = socket(to.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    throw_errno(env, errno, "socket");
    return -1;
  }
  int v6only = (flags & IPV6_ONLY) != 0;
  if (to.any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
  if ((((flags & REUSE_ADDRESS) != 0 || type == SOCK_STREAM) && set_flag(fd, SOL_SOCKET, SO_REUSEADDR) != 0) ||
      ((flags & REUSE_PORT) != 0 && set_flag(fd, SOL_SOCKET, SO_REUSEPORT) != 0) ||
      ((flags & BROADCAST) != 0 && set_flag(fd, SOL_SOCKET, SO_BROADCAST) != 0)) {
    fail_closing(env, fd, "setsockopt");
    return -1;
  }
  if (bind(fd, &to.any, bytes) == 0) return fd;
  fail_closing(env, fd, "bind");
  return -1;
}

// openUdp(host, port, flags) → descriptor
static napi_value open_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  if (!get_arguments(env, info, 3, arguments)) return NULL;
  int fd = open_bound(env, SOCK_DGRAM, arguments);
  return fd < 0 ? NULL : make_int(env, fd);
}

// listenTcp(host, port, flags, backlog) → descriptor
static napi_value listen_tcp(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  int32_t backlog;
  if (!get_arguments(env, info, 4, arguments) || !get_int(env, arguments[3], &backlog)) return NULL;
  int fd = open_bound(env, SOCK_STREAM, arguments);
  if (fd < 0) return NULL;
  return listen(fd, backlog) == 0 ? make_int(env, fd) : fail_closing(env, fd, "listen");
}

// connectUdp(descriptor, host, port)
static napi_value connect_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char host[128];
  size_t length;
  int32_t fd, port;
  address local, to;
  socklen_t bytes = sizeof local;
  if (!get_arguments(env, info, 3, arguments) || !get_int(env, arguments[0], &fd) ||
      !get_text(env, arguments[1], host, sizeof host, &length) || !get_int(env, arguments[2], &port))
    return NULL;
  if (getsockname(fd, &local.any, &bytes) != 0) return throw_errno(env, errno, "getsockname");
  if (!parse_ip(host, port, local.any.sa_family, &to, &bytes)) return throw_errno(env, EAFNOSUPPORT, "connect");
  return connect(fd, &to.any, bytes) == 0 ? NULL : throw_errno(env, errno, "connect");
}

static napi_value duplicate(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) || !get_int(env, argument, &fd)) return NULL;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? throw_errno(env, errno, "dup") : make_int(env, copy);
}

static napi_value close_descriptor(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  if (!get_arguments(env, info, 1, &argument) || !get_int(env, argument, &fd)) return NULL;
  return close(fd) == 0 || errno == EINTR ? NULL : throw_errno(env, errno, "close");
}

static napi_value name_of(napi_env env, napi_callback_info info, bool peer) {
  napi_value argument;
  int32_t fd;
  address name;
  socklen_t length = sizeof name;
  if (!get_arguments(env, info, 1, &argument) || !get_int(env, argument, &fd)) return NULL;
  if ((peer ? getpeername : getsockname)(fd, &name.any, &length) == 0) return make_address(env, &name, length);
  if (peer && errno == ENOTCONN) return NULL;
  return throw_errno(env, errno, peer ? "getpeername" : "getsockname");
}

static napi_value local_name(napi_env env, napi_callback_info info) { return name_of(env, info, false); }
static napi_value remote_name(napi_env env, napi_callback_info info) { return name_of(env, info, true); }

static const struct { const char *name; int level4, name4, level6, name6; } OPTIONS[] = {
    {"receiveBuffer", SOL_SOCKET, SO_RCVBUF, SOL_SOCKET, SO_RCVBUF},
    {"sendBuffer", SOL_SOCKET, SO_SNDBUF, SOL_SOCKET, SO_SNDBUF},
    {"type", SOL_SOCKET, SO_TYPE, SOL_SOCKET, SO_TYPE},
    {"multicastTtl", IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6, IPV6_MULTICAST_HOPS},
    {"multicastLoopback", IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
};

// socketOption(descriptor, name[, value]) → the value that the system has then
static napi_value socket_option(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3, length;
  char name[32];
  int32_t fd, value;
  address local;
  socklen_t bytes = sizeof local;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (!get_int(env, arguments[0], &fd) || !get_text(env, arguments[1], name, sizeof name, &length)) return NULL;
  if (getsockname(fd, &local.any, &bytes) != 0) return throw_errno(env, errno, "getsockname");
  bool v6 = local.any.sa_family == AF_INET6;
  for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i += 1) {
    if (strcmp(OPTIONS[i].name, name) != 0) continue;
    int level = v6 ? OPTIONS[i].level6 : OPTIONS[i].level4, option = v6 ? OPTIONS[i].name6 : OPTIONS[i].name4;
    if (count > 2) {
      if (!get_int(env, arguments[2], &value)) return NULL;
      if (setsockopt(fd, level, option, &value, sizeof value) != 0) return throw_errno(env, errno, "setsockopt");
    }
    bytes = sizeof value;
    if (getsockopt(fd, level, option, &value, &bytes) != 0) return throw_errno(env, errno, "getsockopt");
    return make_int(env, value);
  }
  return throw_errno(env, ENOPROTOOPT, "setsockopt");
}

// multicast(descriptor, group, interface): joins; with group '' picks the interface to send by. '' is the system's choice.
static napi_value multicast(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char group[128], interface[IF_NAMESIZE + 1];
  size_t length;
  int32_t fd;
  address local;
  socklen_t bytes = sizeof local;
  if (!get_arguments(env, info, 3, arguments) || !get_int(env, arguments[0], &fd) ||
      !get_text(env, arguments[1], group, sizeof group, &length) ||
      !get_text(env, arguments[2], interface, sizeof interface, &length))
    return NULL;
  if (getsockname(fd, &local.any, &bytes) != 0) return throw_errno(env, errno, "getsockname");
  bool v6 = local.any.sa_family == AF_INET6;
  int index = interface[0] == 0 ? 0 : (int)if_nametoindex(interface);
  if (interface[0] != 0 && index == 0) return throw_errno(env, ENODEV, "if_nametoindex");
  int result;
  if (group[0] != 0) {
    struct group_req request = {.gr_interface = (uint32_t)index};
    address to;
    if (!parse_ip(group, 0, v6 ? AF_INET6 : AF_INET, &to, &bytes)) return throw_errno(env, EINVAL, "setsockopt");
    memcpy(&request.gr_group, &to, bytes);
    result = setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request);
  } else if (v6) {
    result = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
  } else {
    struct ip_mreqn request = {.imr_ifindex = index};
    result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request);
  }
  return result == 0 ? NULL : throw_errno(env, errno, "setsockopt");
}

static void free_instance(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  instance *self = data;
  free(self->batches);
  free(self->scratch);
  free(self);
}

NAPI_MODULE_INIT(/* env, exports */) {
  instance *self = calloc(1, sizeof *self);
  if (self == NULL || napi_get_uv_event_loop(env, &self->loop) != napi_ok ||
      napi_set_instance_data(env, self, free_instance, NULL) != napi_ok) {
    free(self);
    napi_throw_error(env, NULL, "the environment has no event loop");
    return NULL;
  }
  export_function(env, exports, "openUdp", open_udp);
  export_function(env, exports, "connectUdp", connect_udp);
  export_function(env, exports, "listenTcp", listen_tcp);
  export_function(env, exports, "dup", duplicate);
  export_function(env, exports, "closeFd", close_descriptor);
  export_function(env, exports, "localName", local_name);
  export_function(env, exports, "remoteName", remote_name);
  export_function(env, exports, "socketOption", socket_option);
  export_function(env, exports, "multicast", multicast);
  export_unixgram(env, exports);
  export_files(env, exports);
  export_mask(env, exports);
  export_streams(env, exports);
  return export_batches(env, exports);
}
