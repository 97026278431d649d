// Unix datagram sockets: opening, binding, connecting. Node has none; once open, they are driven by udp-batches.c.
#include "moorage.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A path, '@name' (abstract), or '' (the system picks an abstract name). 0, or an errno.
int parse_path(const char *path, size_t bytes, address *to, socklen_t *length) {
  memset(to, 0, sizeof *to);
  to->path.sun_family = AF_UNIX;
  size_t head = offsetof(struct sockaddr_un, sun_path);
  bool abstract = path[0] == '@';
  // A path keeps room for its final zero byte; an abstract name needs none.
  if (bytes > sizeof to->path.sun_path - (abstract ? 0 : 1)) return ENAMETOOLONG;
  memcpy(to->path.sun_path, path, bytes);
  if (abstract) to->path.sun_path[0] = 0;
  *length = (socklen_t)(bytes == 0 ? head : head + bytes + (abstract ? 0 : 1));
  return 0;
}

static bool get_path(napi_env env, napi_value value, address *to, socklen_t *length) {
  char path[256];
  size_t bytes;
  if (!get_text(env, value, path, sizeof path, &bytes)) return false;
  int error = parse_path(path, bytes, to, length);
  if (error != 0) throw_errno(env, error, "bind");
  return error == 0;
}

static napi_value fail_closing(napi_env env, int fd, const char *syscall) {
  int error = errno;
  close(fd);
  return throw_errno(env, error, syscall);
}

// openUnixgram(path, mode) → descriptor. Path '' binds to a name that the system picks; mode -1 leaves it to umask.
static napi_value open_unixgram(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  address to;
  socklen_t length;
  int32_t mode;
  if (!get_arguments(env, info, 2, arguments) || !get_path(env, arguments[0], &to, &length) ||
      !get_int(env, arguments[1], &mode))
    return NULL;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  bool file = to.path.sun_path[0] != 0;
  // Mode bits of the descriptor become those of the file that bind makes (less umask): there is no moment in which the
  // file is open to more users than it will be.
  if (file && mode >= 0 && fchmod(fd, (mode_t)mode) != 0) return fail_closing(env, fd, "fchmod");
  if (bind(fd, &to.any, length) != 0) return fail_closing(env, fd, "bind");
  if (file && mode >= 0 && chmod(to.path.sun_path, (mode_t)mode) != 0) {
    int error = errno;
    unlink(to.path.sun_path);
    errno = error;
    return fail_closing(env, fd, "chmod");
  }
  return make_int(env, fd);
}

// connectUnixgram(descriptor, path)
static napi_value connect_unixgram(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  address to;
  socklen_t length;
  int32_t fd;
  if (!get_arguments(env, info, 2, arguments) || !get_int(env, arguments[0], &fd) ||
      !get_path(env, arguments[1], &to, &length))
    return NULL;
  return connect(fd, &to.any, length) == 0 ? NULL : throw_errno(env, errno, "connect");
}

// probeUnixgram(path) → 0 when somebody receives there, else the errno: ECONNREFUSED for a stale file.
static napi_value probe_unixgram(napi_env env, napi_callback_info info) {
  napi_value argument;
  address to;
  socklen_t length;
  if (!get_arguments(env, info, 1, &argument) || !get_path(env, argument, &to, &length)) return NULL;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  int error = connect(fd, &to.any, length) == 0 ? 0 : errno;
  close(fd);
  napi_value name;
  const char *text = error == 0 ? "" : uv_err_name(-error);
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &name) == napi_ok ? name : NULL;
}

// notify(path, text): one datagram from an unbound socket, as sd_notify(3) sends it.
static napi_value notify(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  address to;
  socklen_t length;
  char text[1024];
  size_t bytes;
  if (!get_arguments(env, info, 2, arguments) || !get_path(env, arguments[0], &to, &length) ||
      !get_text(env, arguments[1], text, sizeof text, &bytes))
    return NULL;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  // Not waited for: a manager that does not read must not stop the program.
  if (sendto(fd, text, bytes, MSG_NOSIGNAL | MSG_DONTWAIT, &to.any, length) < 0) return fail_closing(env, fd, "sendto");
  close(fd);
  return NULL;
}

napi_value export_unixgram(napi_env env, napi_value exports) {
  export_function(env, exports, "openUnixgram", open_unixgram);
  export_function(env, exports, "connectUnixgram", connect_unixgram);
  export_function(env, exports, "probeUnixgram", probe_unixgram);
  return export_function(env, exports, "notify", notify);
}
