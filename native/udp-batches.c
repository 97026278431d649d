// Datagrams in batches: one recvmmsg, one call into JavaScript, one sendmmsg. JavaScript and C share typed arrays:
//   header   int32 × 3 for each received datagram: length, slot of the peer, flags
//   records  int32 × 4 for each datagram to send: offset in the arena, length, slot (-1: connected peer), errno
//   control  int32: [0] first and [1] end of the records that are queued
// JavaScript may replace records and arena by larger ones (batchGrow).
// A peer's address crosses the boundary once, when it gets a slot; after that it is a number. The table is bounded: when
// it is full, a slot that neither a queued record nor this batch uses is given to the new peer.
// A batch is freed when its poll handle is closed: at close(), or by the hook when its environment (a worker) ends.
#include "moorage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 64, ROUNDS = 4, MAX_BUFFER_TRIES = 100, MAX_EMPTY_ERRORS = 16 };
enum { EVENT_DATAGRAMS, EVENT_WRITABLE, EVENT_ERROR, EVENT_BROKEN };
enum { FLAG_TRUNCATED = 1, FLAG_NEW_PEER = 2 };

struct batch {
  instance *owner;
  napi_env env;
  uv_poll_t *poll;
  napi_async_cleanup_hook_handle hook;
  napi_async_context context;
  napi_ref callback, anchor;
  uint32_t id;
  int fd, family, events;
  uint32_t buffer_tries, empty_errors;
  bool closing, emitting, skip_blocked;
  int32_t *header, *records, *control;
  uint8_t *receive, *arena;
  size_t stride, max_bytes;
  uint32_t record_count, arena_bytes;
  peer_table peers;
  uint32_t in_flight;  // datagrams received that JavaScript has not seen all of
};

// What a system call needs while it runs: one for all batches of an environment.
struct scratch {
  struct mmsghdr in[BATCH], out[BATCH];
  struct iovec in_parts[BATCH], out_parts[BATCH];
  address in_names[BATCH];
};

static bool is_needed(const void *data, uint32_t slot) {
  const batch *self = data;
  for (int32_t i = self->control[0]; i < self->control[1]; i += 1)
    if (self->records[i * 4 + 2] == (int32_t)slot) return true;
  for (uint32_t i = 0; i < self->in_flight; i += 1)
    if (self->header[i * 3 + 1] == (int32_t)slot) return true;
  return false;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(batch *self, int events) {
  if (self->closing || self->events == events) return;
  self->events = events;
  uv_poll_start(self->poll, events, on_poll);
}

static void release(batch *self) {
  napi_delete_reference(self->env, self->callback);
  napi_delete_reference(self->env, self->anchor);
  napi_async_destroy(self->env, self->context);
}

// Calls JavaScript, and afterwards its microtasks. The batch may be closing when this returns.
static void emit(batch *self, int event, int32_t value) {
  napi_env env = self->env;
  napi_handle_scope scope;
  napi_value anchor, callback, arguments[2], result, error;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  self->emitting = true;
  if (napi_get_reference_value(env, self->anchor, &anchor) == napi_ok &&
      napi_get_reference_value(env, self->callback, &callback) == napi_ok &&
      napi_create_int32(env, event, &arguments[0]) == napi_ok &&
      napi_create_int32(env, value, &arguments[1]) == napi_ok &&
      napi_make_callback(env, self->context, anchor, callback, 2, arguments, &result) != napi_ok) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (pending && napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
  self->emitting = false;
  if (self->closing) release(self);
}

static int receive_batch(batch *self) {
  struct scratch *use = self->owner->scratch;
  for (int i = 0; i < BATCH; i += 1) {
    use->in_parts[i] = (struct iovec){self->receive + (size_t)i * self->stride, self->max_bytes};
    use->in[i].msg_hdr.msg_namelen = sizeof(address);
  }
  int count = recvmmsg(self->fd, use->in, BATCH, MSG_DONTWAIT, NULL);
  if (count <= 0) return count;
  for (int i = 0; i < count; i += 1) {
    struct msghdr *message = &use->in[i].msg_hdr;
    bool added = false;
    // An unbound Unix socket has no name at all: it gets the empty one.
    if (message->msg_namelen < sizeof(sa_family_t)) {
      use->in_names[i].any.sa_family = (sa_family_t)self->family;
      message->msg_namelen = sizeof(sa_family_t);
    }
    uint32_t slot = peers_intern(&self->peers, &use->in_names[i], message->msg_namelen, &added);
    self->in_flight = (uint32_t)i + 1;
    self->header[i * 3] = (int32_t)use->in[i].msg_len;
    self->header[i * 3 + 1] = (int32_t)slot;
    self->header[i * 3 + 2] = ((message->msg_flags & MSG_TRUNC) != 0 ? FLAG_TRUNCATED : 0) | (added ? FLAG_NEW_PEER : 0);
  }
  return count;
}

static bool is_fatal(int error) { return error == EBADF || error == ENOTSOCK || error == EINVAL || error == EFAULT; }

// Bounded rounds: a flood must not keep the loop from timers and other sockets.
static void receive_all(batch *self) {
  for (int round = 0; round < ROUNDS && !self->closing; round += 1) {
    int count = receive_batch(self);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      self->empty_errors = 0;
      emit(self, is_fatal(errno) ? EVENT_BROKEN : EVENT_ERROR, errno);
      continue;
    }
    self->empty_errors = 0;
    emit(self, EVENT_DATAGRAMS, count);
    self->in_flight = 0;
    if (count < BATCH) return;
  }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  batch *self = poll->data;
  if (self->closing) return;
  if (status < 0) {
    // libuv stops a handle whose descriptor reports only an error, as a connected socket does for an ICMP message:
    // receiving fetches that error. One that keeps coming back with nothing to fetch is fatal.
    int events_before = self->events;
    self->events = 0;
    self->empty_errors += 1;
    receive_all(self);
    if (self->closing) return;
    if (self->empty_errors > MAX_EMPTY_ERRORS) emit(self, EVENT_BROKEN, -status);
    else if (self->events == 0) watch(self, events_before);
    return;
  }
  if ((events & UV_WRITABLE) != 0) emit(self, EVENT_WRITABLE, 0);
  if ((events & UV_READABLE) != 0 && !self->closing) receive_all(self);
}

static void prepare(batch *self, int at, const int32_t *record) {
  struct scratch *use = self->owner->scratch;
  struct msghdr *message = &use->out[at].msg_hdr;
  use->out_parts[at] = (struct iovec){self->arena + record[0], (size_t)record[1]};
  message->msg_name = record[2] < 0 ? NULL : &self->peers.list[record[2]].name;
  message->msg_namelen = record[2] < 0 ? 0 : self->peers.list[record[2]].length;
}

static batch *get_batch(napi_env env, napi_value value) {
  instance *owner;
  int32_t id;
  if (!get_int(env, value, &id) || napi_get_instance_data(env, (void **)&owner) != napi_ok) return NULL;
  if (id >= 0 && (uint32_t)id < owner->capacity && owner->batches[id] != NULL) return owner->batches[id];
  throw_errno(env, EBADF, "batch");
  return NULL;
}

// batchFlush(id, from, to) → the first record that is still to be sent; the errno of the others is in the records.
// Where one blocked destination does not block others (an unconnected Unix socket), its record gets EAGAIN instead.
static napi_value batch_flush(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int32_t from, to;
  batch *self;
  if (!get_arguments(env, info, 3, arguments) || (self = get_batch(env, arguments[0])) == NULL ||
      !get_int(env, arguments[1], &from) || !get_int(env, arguments[2], &to))
    return NULL;
  if (from < 0 || to > (int32_t)self->record_count) return throw_errno(env, EINVAL, "sendmmsg");
  while (from < to) {
    int count = to - from < BATCH ? to - from : BATCH;
    for (int i = 0; i < count; i += 1) {
      const int32_t *record = &self->records[(from + i) * 4];
      if (record[0] < 0 || record[1] < 0 || (uint64_t)record[0] + (uint64_t)record[1] > self->arena_bytes ||
          record[2] >= (int32_t)self->peers.used)
        return throw_errno(env, EINVAL, "sendmmsg");
      prepare(self, i, record);
    }
    int sent = sendmmsg(self->fd, self->owner->scratch->out, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      self->buffer_tries = 0;
      for (int i = 0; i < sent; i += 1) self->records[(from + i) * 4 + 3] = 0;
      from += sent;
      continue;
    }
    int error = errno;
    if (error == EINTR) continue;
    bool wait = (error == EAGAIN || error == EWOULDBLOCK) && !self->skip_blocked;
    // ENOBUFS leaves the socket writable: each turn of the loop tries once more, up to a bound.
    if (error == ENOBUFS) wait = (self->buffer_tries += 1) < MAX_BUFFER_TRIES;
    if (wait) break;
    self->records[from * 4 + 3] = error;
    from += 1;
  }
  watch(self, from < to ? UV_READABLE | UV_WRITABLE : UV_READABLE);
  return make_int(env, from);
}

// batchIntern(id, host or path, port) → slot, or -1 for a host that this family cannot reach
static napi_value batch_intern(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char text[256];
  size_t bytes;
  int32_t port;
  address name;
  socklen_t length;
  bool added = false;
  batch *self;
  if (!get_arguments(env, info, 3, arguments) || (self = get_batch(env, arguments[0])) == NULL ||
      !get_text(env, arguments[1], text, sizeof text, &bytes) || !get_int(env, arguments[2], &port))
    return NULL;
  if (self->family == AF_UNIX) {
    int error = bytes == 0 ? ENOTCONN : parse_path(text, bytes, &name, &length);
    if (error != 0) return throw_errno(env, error, "sendto");
    // The system names a path with its zero byte: so must the table, or one peer would have two slots.
    if (text[0] != '@') length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + 1);
  } else if (port < 1 || port > 65535 || !parse_ip(text, port, self->family, &name, &length)) {
    return make_int(env, -1);
  }
  return make_int(env, (int32_t)peers_intern(&self->peers, &name, length, &added));
}

// batchPeer(id, slot) → [host, port] or a path
static napi_value batch_peer(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int32_t slot;
  batch *self;
  if (!get_arguments(env, info, 2, arguments) || (self = get_batch(env, arguments[0])) == NULL ||
      !get_int(env, arguments[1], &slot))
    return NULL;
  if (slot < 0 || (uint32_t)slot >= self->peers.used) return throw_errno(env, EINVAL, "peer");
  return make_address(env, &self->peers.list[slot].name, self->peers.list[slot].length);
}

static void on_closed(uv_handle_t *handle) {
  batch *self = handle->data;
  napi_async_cleanup_hook_handle hook = self->hook;
  peers_free(&self->peers);
  free(self->poll);
  free(self);
  // Last: it may free the environment.
  if (hook != NULL) napi_remove_async_cleanup_hook(hook);
}

static void close_batch(batch *self) {
  if (self->closing) return;
  self->closing = true;
  self->owner->batches[self->id] = NULL;
  uv_poll_stop(self->poll);
  uv_close((uv_handle_t *)self->poll, on_closed);
  close(self->fd);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  batch *self = data;
  if (self->closing) return;
  close_batch(self);
  release(self);
}

static napi_value batch_close(napi_env env, napi_callback_info info) {
  napi_value argument;
  batch *self;
  if (!get_arguments(env, info, 1, &argument) || (self = get_batch(env, argument)) == NULL) return NULL;
  close_batch(self);
  if (!self->emitting) release(self);
  return NULL;
}

static bool get_array(napi_env env, napi_value object, const char *name, void **data, size_t *length) {
  napi_value value;
  napi_typedarray_type type;
  if (napi_get_named_property(env, object, name, &value) == napi_ok &&
      napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok)
    return true;
  napi_throw_type_error(env, NULL, name);
  return false;
}

static bool add_to_owner(instance *owner, batch *self) {
  for (self->id = 0; self->id < owner->capacity; self->id += 1)
    if (owner->batches[self->id] == NULL) break;
  if (self->id == owner->capacity) {
    uint32_t capacity = owner->capacity == 0 ? 8 : owner->capacity * 2;
    batch **grown = realloc(owner->batches, capacity * sizeof *grown);
    if (grown == NULL) return false;
    memset(grown + owner->capacity, 0, (capacity - owner->capacity) * sizeof *grown);
    owner->batches = grown;
    owner->capacity = capacity;
  }
  owner->batches[self->id] = self;
  return true;
}

static bool prepare_scratch(instance *owner) {
  if (owner->scratch != NULL) return true;
  struct scratch *use = owner->scratch = calloc(1, sizeof *use);
  if (use == NULL) return false;
  for (int i = 0; i < BATCH; i += 1) {
    use->in[i].msg_hdr = (struct msghdr){.msg_name = &use->in_names[i], .msg_iov = &use->in_parts[i], .msg_iovlen = 1};
    use->out[i].msg_hdr = (struct msghdr){.msg_iov = &use->out_parts[i], .msg_iovlen = 1};
  }
  return true;
}

static bool get_queue(napi_env env, batch *self, napi_value memory) {
  size_t records, arena;
  if (!get_array(env, memory, "records", (void **)&self->records, &records) ||
      !get_array(env, memory, "arena", (void **)&self->arena, &arena))
    return false;
  self->record_count = (uint32_t)records / 4;
  self->arena_bytes = (uint32_t)arena;
  if (self->record_count + 2 * BATCH <= self->peers.max_slots) return true;
  throw_errno(env, EINVAL, "batch");
  return false;
}

// batchGrow(id): records and arena of the memory given to batchOpen were replaced by larger ones.
static napi_value batch_grow(napi_env env, napi_callback_info info) {
  napi_value argument, memory;
  batch *self;
  if (!get_arguments(env, info, 1, &argument) || (self = get_batch(env, argument)) == NULL ||
      napi_get_reference_value(env, self->anchor, &memory) != napi_ok)
    return NULL;
  get_queue(env, self, memory);
  return NULL;
}

static bool start(napi_env env, batch *self, napi_value anchor, napi_value callback) {
  napi_value name;
  napi_create_string_utf8(env, "moorage:datagrams", NAPI_AUTO_LENGTH, &name);
  self->poll = calloc(1, uv_handle_size(UV_POLL));
  if (self->poll == NULL || !prepare_scratch(self->owner) || !peers_grow(&self->peers) || !add_to_owner(self->owner, self)) {
    throw_errno(env, ENOMEM, "batch");
    return false;
  }
  int error = uv_poll_init(self->owner->loop, self->poll, self->fd);
  if (error != 0) {
    self->owner->batches[self->id] = NULL;
    throw_errno(env, -error, "poll");
    return false;
  }
  self->poll->data = self;
  // From here on the handle belongs to the loop, and closing frees everything.
  napi_create_reference(env, anchor, 1, &self->anchor);
  napi_create_reference(env, callback, 1, &self->callback);
  napi_async_init(env, anchor, name, &self->context);
  napi_add_async_cleanup_hook(env, on_environment_end, self, &self->hook);
  watch(self, UV_READABLE);
  return true;
}

// batchOpen(descriptor, { receive, header, records, control, arena }, stride, maxBytes, maxPeers, skipBlocked, callback)
// → id. The batch owns the descriptor from now on. maxPeers is a power of two, larger than any queue will be.
static napi_value batch_open(napi_env env, napi_callback_info info) {
  napi_value arguments[7];
  int32_t fd, stride, max_bytes, max_peers, skip_blocked;
  size_t receive, header, control;
  address local;
  socklen_t bytes = sizeof local;
  instance *owner;
  if (!get_arguments(env, info, 7, arguments) || !get_int(env, arguments[0], &fd) || !get_int(env, arguments[2], &stride) ||
      !get_int(env, arguments[3], &max_bytes) || !get_int(env, arguments[4], &max_peers) ||
      !get_int(env, arguments[5], &skip_blocked) || napi_get_instance_data(env, (void **)&owner) != napi_ok)
    return NULL;
  if (getsockname(fd, &local.any, &bytes) != 0) return throw_errno(env, errno, "getsockname");
  batch *self = calloc(1, sizeof *self);
  if (self == NULL) return throw_errno(env, ENOMEM, "batch");
  *self = (batch){.owner = owner, .env = env, .fd = fd, .family = local.any.sa_family, .skip_blocked = skip_blocked != 0};
  self->stride = (size_t)stride;
  self->max_bytes = (size_t)max_bytes;
  self->peers = (peer_table){.max_slots = (uint32_t)max_peers, .owner = self, .is_needed = is_needed};
  bool fits = get_array(env, arguments[1], "receive", (void **)&self->receive, &receive) &&
              get_array(env, arguments[1], "header", (void **)&self->header, &header) &&
              get_array(env, arguments[1], "control", (void **)&self->control, &control) &&
              get_queue(env, self, arguments[1]);
  if (fits && (max_bytes < 1 || max_bytes > stride || receive < (size_t)stride * BATCH || header < BATCH * 3 ||
               control < 2 || (max_peers & (max_peers - 1)) != 0)) {
    fits = false;
    throw_errno(env, EINVAL, "batch");
  }
  if (fits && start(env, self, arguments[1], arguments[6])) return make_int(env, (int32_t)self->id);
  peers_free(&self->peers);
  free(self->poll);
  free(self);
  return NULL;
}

napi_value export_batches(napi_env env, napi_value exports) {
  export_function(env, exports, "batchOpen", batch_open);
  export_function(env, exports, "batchFlush", batch_flush);
  export_function(env, exports, "batchGrow", batch_grow);
  export_function(env, exports, "batchIntern", batch_intern);
  export_function(env, exports, "batchPeer", batch_peer);
  return export_function(env, exports, "batchClose", batch_close);
}
