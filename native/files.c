// Of files: whether one is still what it was, whether a piece is in memory, and bytes that the system can send by itself.
#include "moorage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

// Descriptors and memory that shared bytes may hold in an environment.
enum { MAX_SHARED = 256, MAX_SHARED_BYTES = 64 * 1024 * 1024 };
enum { IDENTITY_DEVICE, IDENTITY_INODE, IDENTITY_SIZE, IDENTITY_MODIFIED, IDENTITY_CHANGED, IDENTITY_LENGTH };

static int64_t nanoseconds(const struct statx_timestamp *time) { return time->tv_sec * 1000000000 + time->tv_nsec; }

// fileIsSame(path, follow, BigInt64Array of device, inode, size, times of modification and change in ns) → boolean
static napi_value file_is_same(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  char path[PATH_MAX];
  size_t bytes, length;
  int32_t follow;
  int64_t *known;
  napi_typedarray_type type;
  struct statx now;
  if (!get_arguments(env, info, 3, arguments) || !get_text(env, arguments[0], path, sizeof path, &bytes) ||
      !get_int(env, arguments[1], &follow))
    return NULL;
  if (napi_get_typedarray_info(env, arguments[2], &type, &length, (void **)&known, NULL, NULL) != napi_ok ||
      type != napi_bigint64_array || length != IDENTITY_LENGTH)
    return throw_errno(env, EINVAL, "statx");
  unsigned wanted = STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME;
  bool is = bytes < sizeof path - 1 && statx(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, wanted, &now) == 0 &&
            (int64_t)makedev(now.stx_dev_major, now.stx_dev_minor) == known[IDENTITY_DEVICE] &&
            (int64_t)now.stx_ino == known[IDENTITY_INODE] && (int64_t)now.stx_size == known[IDENTITY_SIZE] &&
            nanoseconds(&now.stx_mtime) == known[IDENTITY_MODIFIED] && nanoseconds(&now.stx_ctime) == known[IDENTITY_CHANGED];
  return napi_get_boolean(env, is, &result) == napi_ok ? result : NULL;
}

static bool in_memory(int fd, off_t offset) {
  char byte;
  struct iovec part = {&byte, 1};
  return preadv2(fd, &part, 1, offset, RWF_NOWAIT) == 1;
}

// fileInMemory(descriptor, offset, count) → whether the piece can be read without waiting for a disk: its first and its
// last byte can. What the kernel reads ahead comes in order.
static napi_value file_in_memory(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  int32_t fd;
  int64_t offset, count;
  if (!get_arguments(env, info, 3, arguments) || !get_int(env, arguments[0], &fd)) return NULL;
  if (napi_get_value_int64(env, arguments[1], &offset) != napi_ok || napi_get_value_int64(env, arguments[2], &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "numbers are expected");
    return NULL;
  }
  bool is = count > 0 && in_memory(fd, offset) && in_memory(fd, offset + count - 1);
  return napi_get_boolean(env, is, &result) == napi_ok ? result : NULL;
}

typedef struct {
  instance *owner;
  size_t length;
  int fd;
} shared_bytes;

static void free_shared(napi_env env, void *data, void *hint) {
  shared_bytes *self = hint;
  munmap(data, self->length);
  close(self->fd);
  // At the end of an environment its instance may be gone before.
  instance *owner;
  if (env != NULL && napi_get_instance_data(env, (void **)&owner) == napi_ok && owner == self->owner) {
    owner->shared -= 1;
    owner->shared_bytes -= self->length;
  }
  free(self);
}

// sharedBytes(length) → [ArrayBuffer, descriptor]: memory that is a file without a name too, which the system can send
// from. `undefined` where that is not possible now. The descriptor lives as long as the memory.
static napi_value make_shared_bytes(napi_env env, napi_callback_info info) {
  napi_value argument, buffer, pair;
  uint32_t length;
  instance *owner;
  if (!get_arguments(env, info, 1, &argument) || napi_get_instance_data(env, (void **)&owner) != napi_ok) return NULL;
  if (napi_get_value_uint32(env, argument, &length) != napi_ok || length == 0) return NULL;
  if (owner->shared >= MAX_SHARED || length > MAX_SHARED_BYTES - owner->shared_bytes) return NULL;
  shared_bytes *self = malloc(sizeof *self);
  if (self == NULL) return NULL;
  *self = (shared_bytes){.owner = owner, .length = length, .fd = memfd_create("moorage", MFD_CLOEXEC)};
  if (self->fd < 0) {
    free(self);
    return NULL;
  }
  void *data = ftruncate(self->fd, length) == 0 ? mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0) : MAP_FAILED;
  if (data == MAP_FAILED) {
    close(self->fd);
    free(self);
    return NULL;
  }
  int fd = self->fd;
  if (napi_create_external_arraybuffer(env, data, length, free_shared, self, &buffer) != napi_ok) {
    // A runtime that takes no memory from outside.
    munmap(data, length);
    close(self->fd);
    free(self);
    return NULL;
  }
  owner->shared += 1;
  owner->shared_bytes += length;
  if (napi_create_array_with_length(env, 2, &pair) != napi_ok) return NULL;
  napi_set_element(env, pair, 0, buffer);
  napi_set_element(env, pair, 1, make_int(env, fd));
  return pair;
}

napi_value export_files(napi_env env, napi_value exports) {
  export_function(env, exports, "fileIsSame", file_is_same);
  export_function(env, exports, "fileInMemory", file_in_memory);
  return export_function(env, exports, "sharedBytes", make_shared_bytes);
}
