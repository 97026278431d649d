// From a stream into a file, by a thread of the pool: the bytes never come to JavaScript, and a slow disk holds nobody up.
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

// Of a pipe, which holds references to what the network has received. 512 KiB take a quarter less time than a copy by 256 KiB.
enum { PIPE_BYTES = 512 * 1024, COPY_BYTES = 64 * 1024, WAIT_MS = 2 };

typedef struct {
  napi_async_work work;
  napi_ref callback;
  int from, to;
  int64_t offset, count, done;
  int stream_error, file_error;
  int pipe[2];
} file_job;

// For file systems that take nothing from a pipe.
static ssize_t copy_piece(file_job *job, size_t length) {
  uint8_t bytes[COPY_BYTES];
  ssize_t count = read(job->pipe[0], bytes, length < sizeof bytes ? length : sizeof bytes);
  for (ssize_t at = 0; at < count;) {
    ssize_t wrote = pwrite(job->to, bytes + at, (size_t)(count - at), job->offset + job->done + at);
    if (wrote == 0) errno = ENOSPC;
    if (wrote <= 0 && errno != EINTR) return -1;
    if (wrote > 0) at += wrote;
  }
  return count;
}

// All that is in the pipe; 0 or what went wrong with the file. What it did not take is lost: the caller gives both up.
static int empty_pipe(file_job *job, size_t length) {
  while (length > 0) {
    loff_t at = job->offset + job->done;
    ssize_t count = splice(job->pipe[0], NULL, job->to, &at, length, SPLICE_F_MOVE);
    if (count < 0 && errno == EINVAL) count = copy_piece(job, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : ENOSPC;
    length -= (size_t)count;
    job->done += count;
  }
  return 0;
}

static bool has_more(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  return poll(&one, 1, WAIT_MS) == 1 && (one.revents & POLLIN) != 0;
}

// Until it has what was asked for, or the stream has nothing for a moment. Its end is left for the next read to see.
static void run_job(napi_env env, void *data) {
  (void)env;
  file_job *job = data;
  while (job->done < job->count) {
    int64_t left = job->count - job->done;
    size_t most = left < PIPE_BYTES ? (size_t)left : PIPE_BYTES;
    ssize_t length = splice(job->from, NULL, job->pipe[1], NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (length > 0) {
      job->file_error = empty_pipe(job, (size_t)length);
      if (job->file_error != 0) return;
    } else if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!has_more(job->from)) return;
    } else if (length == 0 || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) {
      // At its end, or on a system that takes nothing out of such a socket: it is read as ever.
      return;
    } else if (errno != EINTR) {
      job->stream_error = errno;
      return;
    }
  }
}

static void free_job(napi_env env, file_job *job) {
  if (job->callback != NULL) napi_delete_reference(env, job->callback);
  if (job->work != NULL) napi_delete_async_work(env, job->work);
  if (job->from >= 0) close(job->from);
  if (job->to >= 0) close(job->to);
  if (job->pipe[0] >= 0) close(job->pipe[0]);
  if (job->pipe[1] >= 0) close(job->pipe[1]);
  free(job);
}

static void end_job(napi_env env, napi_status status, void *data) {
  file_job *job = data;
  napi_value callback = NULL, anchor, arguments[3], result;
  bool told = status == napi_ok && napi_get_reference_value(env, job->callback, &callback) == napi_ok &&
              napi_create_int64(env, job->done, &arguments[0]) == napi_ok && napi_get_undefined(env, &anchor) == napi_ok;
  if (told) {
    arguments[1] = make_int(env, -job->stream_error);
    arguments[2] = make_int(env, -job->file_error);
  }
  free_job(env, job);
  if (told) napi_call_function(env, anchor, callback, 3, arguments, &result);
}

static bool start_job(napi_env env, file_job *job, napi_value callback) {
  napi_value name;
  if (pipe2(job->pipe, O_CLOEXEC) != 0) return false;
  fcntl(job->pipe[1], F_SETPIPE_SZ, PIPE_BYTES);
  return job->from >= 0 && job->to >= 0 &&
         napi_create_string_utf8(env, "moorage:file", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(env, callback, 1, &job->callback) == napi_ok &&
         napi_create_async_work(env, NULL, name, run_job, end_job, job, &job->work) == napi_ok &&
         napi_queue_async_work(env, job->work) == napi_ok;
}

// streamToFile(id, descriptor, offset, count, (bytes, stream's errno, file's errno) => …) → whether it has begun. Copies of
// both descriptors are used: what the caller does with its own meanwhile touches nothing else. Nobody else reads the stream
// until the call.
static napi_value stream_to_file(napi_env env, napi_callback_info info) {
  napi_value arguments[5], result;
  uint32_t id;
  int32_t descriptor;
  int64_t offset, count;
  stream_set *self;
  if (!get_arguments(env, info, 5, arguments) || (self = get_stream(env, arguments[0], &id)) == NULL ||
      !get_int(env, arguments[1], &descriptor))
    return NULL;
  if (napi_get_value_int64(env, arguments[2], &offset) != napi_ok || napi_get_value_int64(env, arguments[3], &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "numbers are expected");
    return NULL;
  }
  file_job *job = calloc(1, sizeof *job);
  if (job == NULL) return throw_errno(env, ENOMEM, "file");
  *job = (file_job){.pipe = {-1, -1}, .offset = offset, .count = count};
  job->from = fcntl(self->streams[id].fd, F_DUPFD_CLOEXEC, 3);
  job->to = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  bool began = start_job(env, job, arguments[4]);
  // Without descriptors or memory for it the stream is read as ever.
  if (!began) free_job(env, job);
  return napi_get_boolean(env, began, &result) == napi_ok ? result : NULL;
}

napi_value export_stream_files(napi_env env, napi_value exports) {
  return export_function(env, exports, "streamToFile", stream_to_file);
}
