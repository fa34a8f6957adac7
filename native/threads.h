// The process's pool of threads. Pieces of work are taken in any order by any thread, so kernels
// cut work in pieces that do not depend on the number of threads and write to places of their own.
#pragma once
#include <cstdint>

namespace gradus {

constexpr int kMaxThreads = 64;

using PieceFunction = void (*)(void* context, int64_t piece, int thread);

// How many threads programs use from now on; the caller is one of them.
void setThreadCount(int count);
int threadCount();

// Holds the pool for one program; while another program has it, work is done on the calling thread
// alone.
class PoolLease {
 public:
  explicit PoolLease(bool wanted);
  ~PoolLease();
  PoolLease(const PoolLease&) = delete;
  PoolLease& operator=(const PoolLease&) = delete;
  int threads() const { return threads_; }
  // Calls `function` for each piece, `thread` in [0, threads()) naming the scratch memory to use.
  void run(int64_t pieces, void* context, PieceFunction function);

 private:
  int threads_ = 1;
};

}  // namespace gradus
