// Where a kernel failed first: threads note places, and the lowest is reported, so that the message
// does not depend on the threads.
#pragma once
#include "run.h"

namespace gradus {
namespace GRADUS_ISA {

class Lowest {
 public:
  void note(int64_t place) {
    int64_t seen = place_.load();
    while (place < seen && !place_.compare_exchange_weak(seen, place)) {
    }
  }
  // INT64_MAX: nothing was noted.
  int64_t place() const { return place_.load(); }

 private:
  std::atomic<int64_t> place_{INT64_MAX};
};

// Stops the run if the place of an index outside [0, size) was noted.
inline void reportIndex(const Lowest& bad, const int32_t* index, int64_t size, Run& run) {
  if (bad.place() == INT64_MAX) return;
  run.result.failure = Failure::kIndex;
  run.result.value = index[bad.place()];
  run.result.limit = size;
}

// Stops the run if the number of a matrix was noted.
inline void reportMatrix(const Lowest& bad, Failure failure, Run& run) {
  if (bad.place() == INT64_MAX) return;
  run.result.failure = failure;
  run.result.value = bad.place();
}

}  // namespace GRADUS_ISA
}  // namespace gradus
