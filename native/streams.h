// The streams of an environment, as streams.c and stream-writes.c see them.
#ifndef STREAMS_H
#define STREAMS_H

#include "moorage.h"

#include <sys/epoll.h>

enum { MAX_EVENTS = 512 };
// With INTEREST_UNREF what it waits for does not keep the process running.
enum { INTEREST_READ = 1, INTEREST_WRITE = 2, INTEREST_BOTH = 3, INTEREST_UNREF = 4 };
enum { CONTROL_OUT, CONTROL_TURN, CONTROL_EMPTIED, CONTROL_LENGTH };

typedef struct {
  int fd;         // -1 while the id is free
  uint32_t next;  // of the free ones
  uint8_t interest;
  bool is_full;  // while out is emptied: what comes behind is not to be sent
} stream;

struct stream_set {
  instance *owner;
  napi_env env;
  uv_poll_t *poll;
  napi_async_cleanup_hook_handle hook;
  napi_async_context context;
  napi_ref callback, anchor;
  int epoll, spare;  // spare: a descriptor given up for a moment when the process has no other
  uint8_t *receive, *outbox;
  int32_t *records, *out, *control;
  size_t receive_bytes, outbox_bytes;
  uint32_t record_count, out_count, limit;
  stream *streams;
  uint32_t capacity, free, resting;  // resting: ids that are free once this turn is over
  uint32_t waiting;                  // streams that wait for something
  bool turning, closing;
  struct epoll_event events[MAX_EVENTS];
};

// streams.c
stream_set *get_stream_set(napi_env env);
stream_set *get_stream(napi_env env, napi_value value, uint32_t *id);

// stream-writes.c
uint32_t empty_out(stream_set *self);
napi_value export_stream_writes(napi_env env, napi_value exports);

// stream-files.c
napi_value export_stream_files(napi_env env, napi_value exports);

#endif
