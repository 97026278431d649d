// RFC 6455 §5.3: masks or unmasks a payload while it is copied.
#include "moorage.h"
#include <string.h>

// Eight bytes at a time, which the compiler makes more of. `phase`: how many bytes of the payload stand before these.
// Returns all bytes that came out, joined by "or".
static uint8_t copy_masked(uint8_t *to, const uint8_t *from, size_t count, const uint8_t *mask, uint32_t phase) {
  uint8_t turned[8];
  for (uint32_t i = 0; i < 8; i++) turned[i] = mask[(phase + i) & 3];
  uint64_t key, seen = 0;
  memcpy(&key, turned, 8);
  size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    uint64_t word;
    memcpy(&word, from + at, 8);
    word ^= key;
    seen |= word;
    memcpy(to + at, &word, 8);
  }
  uint8_t joined = 0;
  for (int i = 0; i < 8; i++) joined |= (uint8_t)(seen >> (8 * i));
  for (; at < count; at++) {
    to[at] = from[at] ^ turned[at & 7];
    joined |= to[at];
  }
  return joined;
}

// maskCopy(target, at, source, from, to, mask, phase): the caller has checked that all of it is there; so does this.
static napi_value mask_copy(napi_env env, napi_callback_info info) {
  napi_value values[7];
  int32_t at, from, to, phase;
  uint8_t *target, *source, *mask;
  size_t target_length, source_length, mask_length;
  if (!get_arguments(env, info, 7, values) || !get_int(env, values[1], &at) || !get_int(env, values[3], &from) ||
      !get_int(env, values[4], &to) || !get_int(env, values[6], &phase))
    return NULL;
  if (napi_get_typedarray_info(env, values[0], NULL, &target_length, (void **)&target, NULL, NULL) != napi_ok ||
      napi_get_typedarray_info(env, values[2], NULL, &source_length, (void **)&source, NULL, NULL) != napi_ok ||
      napi_get_typedarray_info(env, values[5], NULL, &mask_length, (void **)&mask, NULL, NULL) != napi_ok || at < 0 ||
      from < 0 || to < from || (size_t)to > source_length || mask_length != 4 || phase < 0 ||
      (size_t)at + (size_t)(to - from) > target_length) {
    napi_throw_range_error(env, NULL, "maskCopy: out of bounds");
    return NULL;
  }
  return make_int(env, copy_masked(target + at, source + from, (size_t)(to - from), mask, (uint32_t)phase));
}

napi_value export_mask(napi_env env, napi_value exports) {
  return export_function(env, exports, "maskCopy", mask_copy);
}
