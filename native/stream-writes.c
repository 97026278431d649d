// What streams send: at once, or when the call into JavaScript is over. native/streams.c has the layout of the memory.
#include "streams.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

enum { MAX_PARTS = 64, MAX_TEXT = 64 * 1024 };

static ssize_t send_again(int fd, const void *bytes, size_t length, int flags) {
  for (;;) {
    ssize_t count = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
    if (count >= 0 || errno != EINTR) return count;
  }
}

// Sends what is in out. Returns how many records of it are left, of which the system took less or nothing.
uint32_t empty_out(stream_set *self) {
  uint32_t count = (uint32_t)self->control[CONTROL_OUT], left = 0;
  self->control[CONTROL_OUT] = 0;
  self->control[CONTROL_EMPTIED] += 1;
  if (count > self->out_count) return 0;
  for (uint32_t i = 0; i < count; i += 1) {
    int32_t id = self->out[i * 3], offset = self->out[i * 3 + 1], length = self->out[i * 3 + 2];
    if (id < 0 || (uint32_t)id >= self->capacity || self->streams[id].fd < 0) continue;
    if (offset < 0 || length < 0 || (size_t)offset + (size_t)length > self->outbox_bytes) continue;
    ssize_t taken = self->streams[id].is_full ? 0 : send_again(self->streams[id].fd, self->outbox + offset, (size_t)length, 0);
    if (taken == length) continue;
    if (taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) taken = 0;
    self->streams[id].is_full = true;
    self->out[left * 3] = id;
    self->out[left * 3 + 1] = taken < 0 ? offset : offset + (int32_t)taken;
    self->out[left * 3 + 2] = taken < 0 ? -errno : length - (int32_t)taken;
    left += 1;
  }
  for (uint32_t i = 0; i < left; i += 1) self->streams[self->out[i * 3]].is_full = false;
  return left;
}

// How many bytes the system took; 0 when it takes none now.
static napi_value taken(napi_env env, ssize_t count) {
  if (count < 0) count = errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
  return make_int(env, (int32_t)count);
}

static napi_value write_bytes(napi_env env, napi_callback_info info, int flags) {
  napi_value arguments[2];
  uint32_t id;
  size_t length;
  void *bytes;
  napi_typedarray_type type;
  stream_set *self;
  if (!get_arguments(env, info, 2, arguments) || (self = get_stream(env, arguments[0], &id)) == NULL) return NULL;
  if (napi_get_typedarray_info(env, arguments[1], &type, &length, &bytes, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, "a Uint8Array is expected");
    return NULL;
  }
  return taken(env, send_again(self->streams[id].fd, bytes, length < INT32_MAX ? length : INT32_MAX, flags));
}

// streamWrite(id, bytes) → how many of them the system took, or a negative errno
static napi_value stream_write(napi_env env, napi_callback_info info) { return write_bytes(env, info, 0); }

// streamWriteMore(id, bytes): the same of bytes that others follow at once
static napi_value stream_write_more(napi_env env, napi_callback_info info) { return write_bytes(env, info, MSG_MORE); }

// streamWriteText(id, text): the same of a text of at most 64 Ki characters, each of them a byte
static napi_value stream_write_text(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t id;
  size_t length;
  char bytes[MAX_TEXT + 1];
  stream_set *self;
  if (!get_arguments(env, info, 2, arguments) || (self = get_stream(env, arguments[0], &id)) == NULL) return NULL;
  if (napi_get_value_string_latin1(env, arguments[1], bytes, sizeof bytes, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "a string is expected");
    return NULL;
  }
  return taken(env, send_again(self->streams[id].fd, bytes, length, 0));
}

// streamWriteAll(id, list, from): the same of the Uint8Arrays of a list from one on, at most 64 of them in a call, and
// not beyond what is none
static napi_value stream_write_all(napi_env env, napi_callback_info info) {
  napi_value arguments[3], item;
  uint32_t id, from, end;
  struct iovec parts[MAX_PARTS];
  size_t count = 0, total = 0;
  napi_typedarray_type type;
  stream_set *self;
  if (!get_arguments(env, info, 3, arguments) || (self = get_stream(env, arguments[0], &id)) == NULL) return NULL;
  if (napi_get_array_length(env, arguments[1], &end) != napi_ok || napi_get_value_uint32(env, arguments[2], &from) != napi_ok) {
    napi_throw_type_error(env, NULL, "a list and a number are expected");
    return NULL;
  }
  for (; from < end && count < MAX_PARTS && total < INT32_MAX / 2; from += 1, count += 1) {
    if (napi_get_element(env, arguments[1], from, &item) != napi_ok ||
        napi_get_typedarray_info(env, item, &type, &parts[count].iov_len, &parts[count].iov_base, NULL, NULL) != napi_ok ||
        type != napi_uint8_array)
      break;
    if (parts[count].iov_len > INT32_MAX / 2) parts[count].iov_len = INT32_MAX / 2;
    total += parts[count].iov_len;
  }
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
  for (;;) {
    ssize_t sent = sendmsg(self->streams[id].fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR) return taken(env, sent);
  }
}

// streamSendFile(id, descriptor, offset, count): the same of a piece of a file; at its end that is ENODATA
static napi_value stream_send_file(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  uint32_t id, count;
  int32_t fd;
  int64_t offset;
  stream_set *self;
  if (!get_arguments(env, info, 4, arguments) || (self = get_stream(env, arguments[0], &id)) == NULL ||
      !get_int(env, arguments[1], &fd))
    return NULL;
  if (napi_get_value_int64(env, arguments[2], &offset) != napi_ok || napi_get_value_uint32(env, arguments[3], &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "numbers are expected");
    return NULL;
  }
  for (;;) {
    off_t at = offset;
    ssize_t sent = sendfile(self->streams[id].fd, fd, &at, count < INT32_MAX ? count : INT32_MAX);
    if (sent == 0 && count > 0) return make_int(env, -ENODATA);
    if (sent >= 0 || errno != EINTR) return taken(env, sent);
  }
}

// streamsFlush() → how many records are left in out: it was sent before its time
static napi_value streams_flush(napi_env env, napi_callback_info info) {
  (void)info;
  stream_set *self = get_stream_set(env);
  return self == NULL ? NULL : make_int(env, (int32_t)empty_out(self));
}

napi_value export_stream_writes(napi_env env, napi_value exports) {
  export_function(env, exports, "streamsFlush", streams_flush);
  export_function(env, exports, "streamWrite", stream_write);
  export_function(env, exports, "streamWriteMore", stream_write_more);
  export_function(env, exports, "streamWriteText", stream_write_text);
  export_function(env, exports, "streamWriteAll", stream_write_all);
  return export_function(env, exports, "streamSendFile", stream_send_file);
}
