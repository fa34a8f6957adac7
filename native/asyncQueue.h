// Runs that were asked for without waiting: one thread takes them in order and hands each back to
// JavaScript's thread.
#pragma once
#include <node_api.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "run.h"

namespace gradus {

struct Job {
  std::shared_ptr<Program> program;
  std::vector<void*> arrays;
  napi_ref hold = nullptr;  // keeps the typed arrays alive
  napi_deferred deferred = nullptr;
  RunResult result;
};

class AsyncQueue {
 public:
  // Called on JavaScript's thread with a finished job.
  using Finish = void (*)(napi_env env, Job& job);

  AsyncQueue(napi_env env, Finish finish) : env_(env), finish_(finish) {}
  ~AsyncQueue() { stop(); }

  // False if the queue's thread could not be started.
  bool push(std::unique_ptr<Job> job);
  // A job to fill in, one that was used before where there is one.
  std::unique_ptr<Job> take();
  const Context& context() const { return context_; }

 private:
  napi_env env_;
  Finish finish_;
  Context context_;
  napi_threadsafe_function call_ = nullptr;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> unused_;  // JavaScript's thread only
  int64_t pending_ = 0;                       // JavaScript's thread only
  bool stopping_ = false;

  bool start();
  void stop();
  void work();
  static void onStop(void* self) { static_cast<AsyncQueue*>(self)->stop(); }
  static void onFinished(napi_env env, napi_value, void* self, void* job);
};

}  // namespace gradus
