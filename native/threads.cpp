// The pool: workers that spin for a short while after each job and then sleep. A job is published
// in one atomic word, which holds the job's number, whether it may still be joined, and how many
// workers are in it. threadsWasm.cpp is the same for WASM.
#include "threads.h"

#ifdef GRADUS_THREADS

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gradus {

namespace {

constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr uint64_t kActive = kOpen - 1;
constexpr int kSpins = 4000;  // about 50 to 100 µs

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class Pool {
 public:
  ~Pool() { resize(1); }

  void resize(int count) {
    std::lock_guard<std::mutex> hold(lease);
    stop();
    stopping_ = false;
    for (int i = 1; i < count; i++) workers_.emplace_back([this, i] { work(i); });
    count_ = count;
  }

  int count() const { return count_; }

  void run(int64_t pieces, void* context, PieceFunction function) {
    context_ = context;
    function_ = function;
    const int threads = count_;
    for (int i = 0; i < threads; i++) {
      shares_[i].next.store(pieces * i / threads, std::memory_order_relaxed);
      shares_[i].end = pieces * (i + 1) / threads;
    }
    const uint64_t number = (state_.load(std::memory_order_relaxed) >> 32) + 1;
    state_.store(number << 32 | kOpen, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) {
      { std::lock_guard<std::mutex> hold(mutex_); }
      wake_.notify_all();
    }
    take(0);
    state_.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int spins = 0; (state_.load(std::memory_order_acquire) & kActive) != 0; spins++) {
      pause();
      if (spins > kSpins) std::this_thread::yield();
    }
  }

  std::mutex lease;

 private:
  std::vector<std::thread> workers_;
  std::atomic<int> count_{1};
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> state_{0};
  std::atomic<int> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  // Each thread begins with pieces of its own, so that what it wrote in one kernel it finds in its
  // cache in the next, and then takes from the others.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  Share shares_[kMaxThreads];
  void* context_ = nullptr;
  PieceFunction function_ = nullptr;

  void stop() {
    stopping_ = true;
    { std::lock_guard<std::mutex> hold(mutex_); }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  void take(int thread) {
    const int threads = count_;
    for (int i = 0; i < threads; i++) {
      Share& share = shares_[(thread + i) % threads];
      for (;;) {
        const int64_t piece = share.next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= share.end) break;
        function_(context_, piece, thread);
      }
    }
  }

  // Waits for a job other than `last`; false when the pool stops.
  bool wait(uint64_t last) {
    const auto ready = [&] {
      const uint64_t state = state_.load(std::memory_order_seq_cst);
      return ((state & kOpen) != 0 && state >> 32 != last) || stopping_;
    };
    for (int spins = 0; spins < kSpins; spins++) {
      if (ready()) return !stopping_;
      pause();
    }
    std::unique_lock<std::mutex> hold(mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(hold, ready);
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    return !stopping_;
  }

  void work(int thread) {
    uint64_t last = 0;
    while (wait(last)) {
      uint64_t state = state_.load(std::memory_order_acquire);
      const uint64_t number = state >> 32;
      bool joined = false;
      while (!joined && (state & kOpen) != 0 && state >> 32 == number)
        joined = state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel);
      if (!joined) continue;
      last = number;
      take(thread);
      state_.fetch_sub(1, std::memory_order_release);
    }
  }
};

int defaultCount() {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(cores, kMaxThreads));
}

struct Holder {
  std::mutex mutex;
  std::atomic<Pool*> pool{nullptr};
  std::atomic<int> wanted{0};
};

// Never destroyed: worker threads may outlive the end of the process's main function.
Holder& holder() {
  static Holder* instance = new Holder;
  return *instance;
}

// The threads start with the first program that wants them.
Pool& pool() {
  Holder& h = holder();
  Pool* made = h.pool.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  std::lock_guard<std::mutex> hold(h.mutex);
  if (h.pool.load() == nullptr) {
    auto fresh = std::make_unique<Pool>();
    fresh->resize(threadCount());
    h.pool.store(fresh.release(), std::memory_order_release);
  }
  return *h.pool.load();
}

}  // namespace

void setThreadCount(int count) {
  Holder& h = holder();
  std::lock_guard<std::mutex> hold(h.mutex);
  h.wanted = std::max(1, std::min(count, kMaxThreads));
  if (h.pool.load() != nullptr) h.pool.load()->resize(h.wanted);
}

int threadCount() {
  const int wanted = holder().wanted.load(std::memory_order_relaxed);
  if (wanted != 0) return wanted;
  static const int fallback = defaultCount();
  return fallback;
}

PoolLease::PoolLease(bool wanted) {
  if (!wanted || threadCount() == 1) return;
  Pool& shared = pool();
  if (!shared.lease.try_lock()) return;
  threads_ = shared.count();
  if (threads_ == 1) shared.lease.unlock();
}

PoolLease::~PoolLease() {
  if (threads_ > 1) pool().lease.unlock();
}

void PoolLease::run(int64_t pieces, void* context, PieceFunction function) {
  if (threads_ > 1 && pieces > 1) return pool().run(pieces, context, function);
  for (int64_t piece = 0; piece < pieces; piece++) function(context, piece, 0);
}

}  // namespace gradus

#elif !defined(GRADUS_WASM_THREADS)

namespace gradus {

void setThreadCount(int) {}
int threadCount() { return 1; }
PoolLease::PoolLease(bool) {}
PoolLease::~PoolLease() {}
void PoolLease::run(int64_t pieces, void* context, PieceFunction function) {
  for (int64_t piece = 0; piece < pieces; piece++) function(context, piece, 0);
}

}  // namespace gradus

#endif
