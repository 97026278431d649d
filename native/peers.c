// The bounded table of peers of one socket: an address has a slot, and keeps it until the table is full and somebody else
// needs one. Slots of datagrams in flight are never taken.
#include "moorage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_SLOTS = 64 };

// Seeded: peers choose their addresses, and must not be able to choose one bucket.
static uint32_t hash_of(uint64_t seed, const address *name, socklen_t length) {
  const uint8_t *bytes = (const uint8_t *)name;
  uint64_t hash = seed ^ length;
  for (socklen_t at = 0; at < length; at += 8) {
    uint64_t word = 0;
    memcpy(&word, bytes + at, length - at < 8 ? length - at : 8);
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return (uint32_t)hash;
}

static void forget(peer_table *self, uint32_t slot) {
  uint32_t *link = &self->buckets[self->list[slot].hash & (self->slots - 1)];
  while (*link != slot + 1) link = &self->list[*link - 1].next;
  *link = self->list[slot].next;
}

bool peers_grow(peer_table *self) {
  uint32_t slots = self->slots == 0 ? FIRST_SLOTS : self->slots * 2;
  if (self->slots == 0 && getrandom(&self->seed, sizeof self->seed, GRND_NONBLOCK) < 0)
    self->seed = uv_hrtime() ^ (uintptr_t)self;
  peer *peers = realloc(self->list, slots * sizeof *peers);
  if (peers == NULL) return false;
  self->list = peers;
  uint32_t *buckets = calloc(slots, sizeof *buckets);
  if (buckets == NULL) return false;
  free(self->buckets);
  self->buckets = buckets;
  self->slots = slots;
  for (uint32_t slot = 0; slot < self->used; slot += 1) {
    uint32_t *bucket = &buckets[peers[slot].hash & (slots - 1)];
    peers[slot].next = *bucket;
    *bucket = slot + 1;
  }
  return true;
}

// The slot for one more peer: an unused one, or the next that nothing in flight needs. The full table has more slots
// than there can be queued records and received datagrams, so there is always one.
static uint32_t free_slot(peer_table *self) {
  // Without memory for it there might be no slot to give: the end that Node itself makes.
  if (self->used == self->slots && self->slots < self->max_slots && !peers_grow(self)) abort();
  if (self->used < self->slots) return self->used++;
  for (;;) {
    uint32_t slot = self->hand;
    self->hand = (slot + 1) & (self->slots - 1);
    if (self->is_needed(self->owner, slot)) continue;
    forget(self, slot);
    return slot;
  }
}

uint32_t peers_intern(peer_table *self, address *name, socklen_t length, bool *added) {
  if (length >= sizeof name->v6 && name->any.sa_family == AF_INET6) name->v6.sin6_flowinfo = 0;
  uint32_t hash = hash_of(self->seed, name, length);
  for (uint32_t at = self->buckets[hash & (self->slots - 1)]; at != 0; at = self->list[at - 1].next) {
    peer *known = &self->list[at - 1];
    if (known->hash == hash && known->length == length && memcmp(&known->name, name, length) == 0) return at - 1;
  }
  uint32_t slot = free_slot(self);
  peer *made = &self->list[slot];
  made->hash = hash;
  made->length = length;
  memcpy(&made->name, name, length);
  // Looked up only now: the table may have grown.
  uint32_t *bucket = &self->buckets[hash & (self->slots - 1)];
  made->next = *bucket;
  *bucket = slot + 1;
  *added = true;
  return slot;
}

void peers_free(peer_table *self) {
  free(self->list);
  free(self->buckets);
}
