// Operator new and delete, replaced to count: what a program allocates and what it holds. Include in one source of an
// executable.
//
// Threads: any.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace actorbus::testing {

inline std::atomic<std::size_t> allocations{0};       ///< ever made
inline std::atomic<std::size_t> bytes_held{0};        ///< usable bytes of those not yet freed
inline thread_local std::size_t own_allocations = 0;  ///< those of the calling thread

inline void* counted_new(std::size_t size, std::size_t alignment, std::nothrow_t) noexcept {
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, size == 0 ? 1 : size) != 0) return nullptr;
  allocations.fetch_add(1, std::memory_order_relaxed);
  ++own_allocations;
  bytes_held.fetch_add(::malloc_usable_size(memory), std::memory_order_relaxed);
  return memory;
}

inline void* counted_new(std::size_t size, std::size_t alignment) {
  void* memory = counted_new(size, alignment, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

inline void counted_delete(void* memory) noexcept {
  if (memory == nullptr) return;
  bytes_held.fetch_sub(::malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

/// Allocations during `call`, of all threads.
template <class Call>
std::size_t allocations_of(Call&& call) {
  const std::size_t before = allocations.load();
  call();
  return allocations.load() - before;
}

/// The same, of the calling thread alone.
template <class Call>
std::size_t own_allocations_of(Call&& call) {
  const std::size_t before = own_allocations;
  call();
  return own_allocations - before;
}

}  // namespace actorbus::testing

void* operator new(std::size_t size) { return actorbus::testing::counted_new(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return actorbus::testing::counted_new(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return actorbus::testing::counted_new(size, alignof(std::max_align_t), std::nothrow);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return actorbus::testing::counted_new(size, alignof(std::max_align_t), std::nothrow);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return actorbus::testing::counted_new(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return actorbus::testing::counted_new(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { actorbus::testing::counted_delete(memory); }
void operator delete[](void* memory) noexcept { actorbus::testing::counted_delete(memory); }
void operator delete(void* memory, std::size_t) noexcept { actorbus::testing::counted_delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { actorbus::testing::counted_delete(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { actorbus::testing::counted_delete(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { actorbus::testing::counted_delete(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  actorbus::testing::counted_delete(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  actorbus::testing::counted_delete(memory);
}
