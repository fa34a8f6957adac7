// The pool of the WASM module, over shared memory. The workers are JavaScript's: each has an
// instance of the module on the same memory and stays in `work` (src/backend/cpu/wasmThreads.ts
// starts them). Jobs are published in one atomic word, as in threads.cpp. The thread that runs
// programs never sleeps, for a browser's main thread may not; where no worker has come yet, it does
// all pieces itself.
#include "threads.h"

#ifdef GRADUS_WASM_THREADS

#include <algorithm>
#include <atomic>

namespace gradus {

namespace {

// The word: the job's number, whether it may still be joined, and how many workers are in it.
constexpr uint32_t kOpen = uint32_t{1} << 15;
constexpr uint32_t kActive = kOpen - 1;
constexpr int kNumberShift = 16;
constexpr int kSpins = 20000;  // some 20 to 50 µs

struct Pool {
  std::atomic<uint32_t> state{0};
  std::atomic<int> sleepers{0};
  std::atomic<int> count{1};
  std::atomic<int64_t> next{0};
  int64_t pieces = 0;
  void* context = nullptr;
  PieceFunction function = nullptr;
};

// Constant initialization: workers must find it ready without running constructors.
Pool pool;

int* wordOf(std::atomic<uint32_t>& state) { return reinterpret_cast<int*>(&state); }

void take(int thread) {
  for (;;) {
    const int64_t piece = pool.next.fetch_add(1, std::memory_order_relaxed);
    if (piece >= pool.pieces) return;
    pool.function(pool.context, piece, thread);
  }
}

// Whether a job is open that `thread` has not been in.
bool isNews(uint32_t state, uint32_t last, int thread) {
  return (state & kOpen) != 0 && state >> kNumberShift != last && thread < pool.count.load();
}

uint32_t waitForNews(uint32_t last, int thread) {
  for (;;) {
    for (int spins = 0; spins < kSpins; spins++) {
      const uint32_t state = pool.state.load();
      if (isNews(state, last, thread)) return state;
    }
    pool.sleepers.fetch_add(1);
    const uint32_t state = pool.state.load();
    if (!isNews(state, last, thread))
      __builtin_wasm_memory_atomic_wait32(wordOf(pool.state), static_cast<int>(state), -1);
    pool.sleepers.fetch_sub(1);
  }
}

void runJob(int64_t pieces, void* context, PieceFunction function) {
  pool.pieces = pieces;
  pool.context = context;
  pool.function = function;
  pool.next.store(0, std::memory_order_relaxed);
  const uint32_t number = (pool.state.load() >> kNumberShift) + 1;
  pool.state.store(number << kNumberShift | kOpen);
  if (pool.sleepers.load() > 0) __builtin_wasm_memory_atomic_notify(wordOf(pool.state), kMaxThreads);
  take(0);
  pool.state.fetch_and(~kOpen);
  while ((pool.state.load(std::memory_order_acquire) & kActive) != 0) {
  }
}

}  // namespace

void setThreadCount(int count) { pool.count = std::max(1, std::min(count, kMaxThreads)); }
int threadCount() { return pool.count; }

PoolLease::PoolLease(bool wanted) {
  if (wanted) threads_ = threadCount();
}

PoolLease::~PoolLease() {}

void PoolLease::run(int64_t pieces, void* context, PieceFunction function) {
  if (threads_ > 1 && pieces > 1) return runJob(pieces, context, function);
  for (int64_t piece = 0; piece < pieces; piece++) function(context, piece, 0);
}

}  // namespace gradus

// What a worker calls, with its number from 1 on: never returns.
extern "C" __attribute__((export_name("work"))) void gradusWork(int thread) {
  using namespace gradus;
  uint32_t last = 0;
  for (;;) {
    uint32_t state = waitForNews(last, thread);
    const uint32_t number = state >> kNumberShift;
    bool joined = false;
    while (!joined && (state & kOpen) != 0 && state >> kNumberShift == number)
      joined = pool.state.compare_exchange_weak(state, state + 1);
    if (!joined) continue;
    last = number;
    take(thread);
    pool.state.fetch_sub(1);
  }
}

#endif
