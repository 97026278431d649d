// Streams in batches: one epoll set for all connections of an environment. A turn of the loop waits once, receives from
// every stream that has something, and calls JavaScript once for all of them; writes go straight to the system.
// JavaScript and C share typed arrays:
//   receive  the bytes that came, one stream's after the other's
//   records  int32 × 3 for each event: id of the stream, what (offset in receive, or WRITABLE), length: 0 at the end of
//            the stream, below 0 the negative errno
//   outbox   what is to be sent when the call into JavaScript is over: answers made one after the other and then sent one
//            after the other take a quarter less time than in turns, as each kind of work finds its own code at hand
//   out      int32 × 3 for each of those: id, offset in outbox, length. What the system did not take is put in front
//            again, with a negative errno as its length where sending failed.
//   control  int32: how many records there are in out; whether JavaScript is being called; how often out was emptied
// An id is not used again before the call that may still speak of it is over. The set owns the descriptors.
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIN_READ = 64 * 1024, MAX_STREAMS = 1 << 24, WRITABLE = -1 };
enum { MAX_WAIT = 200000 };  // nanoseconds

#define NONE UINT32_MAX

static void release(stream_set *self) {
  napi_delete_reference(self->env, self->callback);
  napi_delete_reference(self->env, self->anchor);
  napi_async_destroy(self->env, self->context);
}

// Calls JavaScript with a number of events, or of records that are left in out below zero, and afterwards its microtasks.
static void call(stream_set *self, int32_t count) {
  napi_env env = self->env;
  napi_handle_scope scope;
  napi_value anchor, callback, argument, result, error;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, self->anchor, &anchor) == napi_ok &&
      napi_get_reference_value(env, self->callback, &callback) == napi_ok &&
      napi_create_int32(env, count, &argument) == napi_ok &&
      napi_make_callback(env, self->context, anchor, callback, 1, &argument, &result) != napi_ok) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (pending && napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

// Answers wait for the others of their call: so many events go into one as take MAX_WAIT by what the last ones took.
// Where each takes long, each goes by itself, and its answer is sent at once.
static void set_limit(stream_set *self, uint64_t took, uint32_t count) {
  uint64_t fit = took == 0 ? MAX_EVENTS : MAX_WAIT * count / took, most = (uint64_t)self->limit * 2;
  if (fit > most) fit = most;
  self->limit = fit < 1 ? 1 : fit > MAX_EVENTS ? MAX_EVENTS : (uint32_t)fit;
}

static void emit(stream_set *self, uint32_t count) {
  if (count == 0) return;
  uint64_t began = uv_hrtime();
  self->control[CONTROL_TURN] = 1;
  call(self, (int32_t)count);
  if (self->closing) return;
  self->control[CONTROL_TURN] = 0;
  set_limit(self, uv_hrtime() - began, count);
  uint32_t left = empty_out(self);
  if (left > 0) call(self, -(int32_t)left);
}

static bool keeps_running(uint8_t interest) {
  return (interest & INTEREST_BOTH) != 0 && (interest & INTEREST_UNREF) == 0;
}

// A stream that waits for nothing is not in the set at all: epoll reports errors of those that are, asked or not.
static int set_interest(stream_set *self, uint32_t id, uint8_t interest) {
  stream *one = &self->streams[id];
  uint8_t before = one->interest & INTEREST_BOTH, after = interest & INTEREST_BOTH;
  if (before != after) {
    struct epoll_event event = {
        .events = ((after & INTEREST_READ) != 0 ? EPOLLIN : 0u) | ((after & INTEREST_WRITE) != 0 ? EPOLLOUT : 0u),
        .data.u32 = id,
    };
    int operation = after == 0 ? EPOLL_CTL_DEL : before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(self->epoll, operation, one->fd, &event) != 0) return -errno;
  }
  // As with the sockets of Node: only what waits for something keeps the process running, where it may.
  bool kept = keeps_running(one->interest), keeps = keeps_running(interest);
  if (!kept && keeps && (self->waiting += 1) == 1) uv_ref((uv_handle_t *)self->poll);
  if (kept && !keeps && (self->waiting -= 1) == 0) uv_unref((uv_handle_t *)self->poll);
  one->interest = interest;
  return 0;
}

static void end_turn(stream_set *self) {
  while (self->resting != NONE) {
    uint32_t id = self->resting;
    self->resting = self->streams[id].next;
    self->streams[id].next = self->free;
    self->free = id;
  }
}

// What a stream tells that is ready; the number of records there are then.
static uint32_t hear(stream_set *self, const struct epoll_event *event, uint32_t count, size_t *used) {
  uint32_t id = event->data.u32;
  bool broken = (event->events & (EPOLLERR | EPOLLHUP)) != 0;
  if (self->streams[id].fd < 0) return count;
  if ((self->streams[id].interest & INTEREST_WRITE) != 0 && (broken || (event->events & EPOLLOUT) != 0)) {
    int32_t *record = &self->records[count * 3];
    record[0] = (int32_t)id, record[1] = WRITABLE, record[2] = 0;
    count += 1;
  }
  if ((self->streams[id].interest & INTEREST_READ) == 0 || (!broken && (event->events & EPOLLIN) == 0)) return count;
  ssize_t length = recv(self->streams[id].fd, self->receive + *used, self->receive_bytes - *used, MSG_DONTWAIT);
  if (length < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return count;
    length = -errno;
  }
  int32_t *record = &self->records[count * 3];
  record[0] = (int32_t)id, record[1] = (int32_t)*used, record[2] = (int32_t)length;
  if (length > 0) *used += (size_t)length;
  else set_interest(self, id, self->streams[id].interest & (uint8_t)~INTEREST_READ);
  return count + 1;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  stream_set *self = poll->data;
  if (self->closing || self->turning) return;
  int ready = epoll_wait(self->epoll, self->events, MAX_EVENTS, 0);
  uint32_t count = 0;
  size_t used = 0;
  self->turning = true;
  for (int i = 0; i < ready && !self->closing; i += 1) {
    if (self->receive_bytes - used < MIN_READ || count + 2 > self->record_count || count >= self->limit) {
      emit(self, count);
      count = 0;
      used = 0;
    }
    if (!self->closing) count = hear(self, &self->events[i], count, &used);
  }
  if (!self->closing) emit(self, count);
  self->turning = false;
  if (!self->closing) end_turn(self);
}

stream_set *get_stream_set(napi_env env) {
  instance *owner;
  if (napi_get_instance_data(env, (void **)&owner) == napi_ok && owner->streams != NULL)
    return owner->streams;
  throw_errno(env, EBADF, "streams");
  return NULL;
}

stream_set *get_stream(napi_env env, napi_value value, uint32_t *id) {
  stream_set *self = get_stream_set(env);
  if (self == NULL) return NULL;
  if (napi_get_value_uint32(env, value, id) == napi_ok && *id < self->capacity && self->streams[*id].fd >= 0) return self;
  throw_errno(env, EBADF, "stream");
  return NULL;
}

static bool grow(stream_set *self) {
  uint32_t capacity = self->capacity == 0 ? 64 : self->capacity * 2;
  stream *grown = capacity > MAX_STREAMS ? NULL : realloc(self->streams, capacity * sizeof *grown);
  if (grown == NULL) return false;
  for (uint32_t id = capacity; id-- > self->capacity;) {
    grown[id] = (stream){.fd = -1, .next = self->free};
    self->free = id;
  }
  self->streams = grown;
  self->capacity = capacity;
  return true;
}

// Where the process has no descriptor left the spare one makes room: the caller closes the one it copied next.
static int copy_descriptor(stream_set *self, int fd) {
  if (self->spare < 0) self->spare = fcntl(self->epoll, F_DUPFD_CLOEXEC, 3);
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy >= 0 || errno != EMFILE || self->spare < 0) return copy;
  close(self->spare);
  self->spare = -1;
  return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

// streamAdd(descriptor) → id, of a copy of the descriptor that waits for nothing yet
static napi_value stream_add(napi_env env, napi_callback_info info) {
  napi_value argument;
  int32_t fd;
  stream_set *self;
  if (!get_arguments(env, info, 1, &argument) || !get_int(env, argument, &fd) || (self = get_stream_set(env)) == NULL) return NULL;
  if (self->free == NONE && !grow(self)) return throw_errno(env, ENOMEM, "stream");
  int copy = copy_descriptor(self, fd);
  if (copy < 0) return throw_errno(env, errno, "dup");
  fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK);
  uint32_t id = self->free;
  self->free = self->streams[id].next;
  self->streams[id] = (stream){.fd = copy, .next = NONE};
  return make_int(env, (int32_t)id);
}

// Takes a stream out of the set, and leaves its descriptor.
static int take_out(stream_set *self, uint32_t id) {
  int fd = self->streams[id].fd;
  set_interest(self, id, 0);
  self->streams[id].fd = -1;
  uint32_t *list = self->turning ? &self->resting : &self->free;
  self->streams[id].next = *list;
  *list = id;
  return fd;
}

// streamRelease(id) → the descriptor, which is the caller's from now on
static napi_value stream_release(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint32_t id;
  stream_set *self;
  if (!get_arguments(env, info, 1, &argument) || (self = get_stream(env, argument, &id)) == NULL) return NULL;
  return make_int(env, take_out(self, id));
}

static napi_value stream_close(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint32_t id;
  stream_set *self;
  if (!get_arguments(env, info, 1, &argument) || (self = get_stream(env, argument, &id)) == NULL) return NULL;
  close(take_out(self, id));
  return NULL;
}

// streamWatch(id, interest) → 0 or a negative errno
static napi_value stream_watch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint32_t id;
  int32_t interest;
  stream_set *self;
  if (!get_arguments(env, info, 2, arguments) || (self = get_stream(env, arguments[0], &id)) == NULL ||
      !get_int(env, arguments[1], &interest))
    return NULL;
  return make_int(env, set_interest(self, id, (uint8_t)(interest & (INTEREST_BOTH | INTEREST_UNREF))));
}

// streamShutdown(id) → 0 or a negative errno
static napi_value stream_shutdown(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint32_t id;
  stream_set *self;
  if (!get_arguments(env, info, 1, &argument) || (self = get_stream(env, argument, &id)) == NULL) return NULL;
  return make_int(env, shutdown(self->streams[id].fd, SHUT_WR) == 0 ? 0 : -errno);
}

static void on_closed(uv_handle_t *handle) {
  stream_set *self = handle->data;
  napi_async_cleanup_hook_handle hook = self->hook;
  free(self->streams);
  free(self->poll);
  free(self);
  // Last: it may free the environment.
  napi_remove_async_cleanup_hook(hook);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  stream_set *self = data;
  self->closing = true;
  self->owner->streams = NULL;
  for (uint32_t id = 0; id < self->capacity; id += 1)
    if (self->streams[id].fd >= 0) close(self->streams[id].fd);
  uv_poll_stop(self->poll);
  uv_close((uv_handle_t *)self->poll, on_closed);
  close(self->epoll);
  if (self->spare >= 0) close(self->spare);
  release(self);
}

static void *get_array(napi_env env, napi_value memory, const char *name, napi_typedarray_type wanted, size_t *length) {
  napi_value value;
  napi_typedarray_type type;
  void *data;
  if (napi_get_named_property(env, memory, name, &value) == napi_ok &&
      napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) == napi_ok && type == wanted)
    return data;
  return NULL;
}

static bool get_memory(napi_env env, stream_set *self, napi_value memory) {
  size_t records, out, control;
  self->receive = get_array(env, memory, "receive", napi_uint8_array, &self->receive_bytes);
  self->outbox = get_array(env, memory, "outbox", napi_uint8_array, &self->outbox_bytes);
  self->records = get_array(env, memory, "records", napi_int32_array, &records);
  self->out = get_array(env, memory, "out", napi_int32_array, &out);
  self->control = get_array(env, memory, "control", napi_int32_array, &control);
  if (self->receive != NULL && self->outbox != NULL && self->records != NULL && self->out != NULL && self->control != NULL &&
      self->receive_bytes >= MIN_READ && self->receive_bytes <= INT32_MAX && records >= 6 && control >= CONTROL_LENGTH) {
    self->record_count = (uint32_t)(records / 3);
    self->out_count = (uint32_t)(out / 3);
    return true;
  }
  throw_errno(env, EINVAL, "streams");
  return false;
}

static int start(napi_env env, stream_set *self, napi_value anchor, napi_value callback) {
  napi_value name;
  self->poll = calloc(1, uv_handle_size(UV_POLL));
  if (self->poll == NULL) return -ENOMEM;
  self->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (self->epoll < 0) return -errno;
  int error = uv_poll_init(self->owner->loop, self->poll, self->epoll);
  if (error != 0) {
    close(self->epoll);
    return error;
  }
  // From here on the handle belongs to the loop, and the end of the environment frees everything.
  self->poll->data = self;
  self->spare = fcntl(self->epoll, F_DUPFD_CLOEXEC, 3);
  self->owner->streams = self;
  napi_create_string_utf8(env, "moorage:streams", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, anchor, 1, &self->anchor);
  napi_create_reference(env, callback, 1, &self->callback);
  napi_async_init(env, anchor, name, &self->context);
  napi_add_async_cleanup_hook(env, on_environment_end, self, &self->hook);
  uv_poll_start(self->poll, UV_READABLE, on_poll);
  uv_unref((uv_handle_t *)self->poll);
  return 0;
}

// streamsOpen({ receive, records, outbox, out, control }, callback): once for an environment
static napi_value streams_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  instance *owner;
  if (!get_arguments(env, info, 2, arguments) || napi_get_instance_data(env, (void **)&owner) != napi_ok) return NULL;
  if (owner->streams != NULL) return throw_errno(env, EBUSY, "streams");
  stream_set *self = calloc(1, sizeof *self);
  if (self == NULL) return throw_errno(env, ENOMEM, "streams");
  self->owner = owner;
  self->env = env;
  self->spare = -1;
  self->limit = 1;
  self->free = self->resting = NONE;
  int error = 0;
  if (get_memory(env, self, arguments[0]) && (error = start(env, self, arguments[0], arguments[1])) == 0) return NULL;
  free(self->poll);
  free(self);
  return error == 0 ? NULL : throw_errno(env, -error, "streams");
}

napi_value export_streams(napi_env env, napi_value exports) {
  export_function(env, exports, "streamsOpen", streams_open);
  export_function(env, exports, "streamAdd", stream_add);
  export_function(env, exports, "streamRelease", stream_release);
  export_function(env, exports, "streamClose", stream_close);
  export_function(env, exports, "streamWatch", stream_watch);
  export_stream_writes(env, exports);
  export_stream_files(env, exports);
  return export_function(env, exports, "streamShutdown", stream_shutdown);
}
