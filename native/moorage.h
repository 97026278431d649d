// What the files of the addon share. Everything runs on the thread of its environment: no locks, no globals.
#ifndef MOORAGE_H
#define MOORAGE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <uv.h>

typedef struct batch batch;
typedef struct stream_set stream_set;

// One for each environment (the main thread, each worker).
typedef struct {
  uv_loop_t *loop;
  batch **batches;  // by id; NULL where one was closed
  uint32_t capacity;
  struct scratch *scratch;
  stream_set *streams;  // NULL until one is opened
  uint32_t shared;      // memory that is a file too: how many of them there are,
  uint32_t shared_bytes;  // and how many bytes they have
} instance;

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un path;
} address;

enum { REUSE_ADDRESS = 1, REUSE_PORT = 2, IPV6_ONLY = 4, BROADCAST = 8 };

typedef struct {
  uint32_t hash;
  uint32_t next;  // slot + 1 of the next peer in the bucket
  socklen_t length;
  address name;
} peer;

typedef struct {
  peer *list;
  uint32_t *buckets;
  uint64_t seed;
  uint32_t slots, max_slots, used, hand;  // slots are powers of two
  const void *owner;
  bool (*is_needed)(const void *owner, uint32_t slot);
} peer_table;

// peers.c
bool peers_grow(peer_table *self);
uint32_t peers_intern(peer_table *self, address *name, socklen_t length, bool *added);
void peers_free(peer_table *self);

// module.c
napi_value throw_errno(napi_env env, int error, const char *syscall);
bool get_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values);
bool get_int(napi_env env, napi_value value, int32_t *result);
bool get_text(napi_env env, napi_value value, char *text, size_t size, size_t *length);
napi_value make_int(napi_env env, int32_t value);
napi_value make_address(napi_env env, const address *from, socklen_t length);
napi_value export_function(napi_env env, napi_value exports, const char *name, napi_callback function);
bool parse_ip(const char *host, int port, int family, address *to, socklen_t *length);

// unixgram.c
int parse_path(const char *path, size_t bytes, address *to, socklen_t *length);
napi_value export_unixgram(napi_env env, napi_value exports);

// udp-batches.c
napi_value export_batches(napi_env env, napi_value exports);

// files.c
napi_value export_files(napi_env env, napi_value exports);

// mask.c
napi_value export_mask(napi_env env, napi_value exports);

// streams.c
napi_value export_streams(napi_env env, napi_value exports);

#endif
