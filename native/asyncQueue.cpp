// The queue's thread lives from the first asynchronous run to the end of the JavaScript
// environment.
#include "asyncQueue.h"

namespace gradus {

bool AsyncQueue::start() {
  if (thread_.joinable()) return true;
  napi_value name;
  if (napi_create_string_utf8(env_, "gradus", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                      onFinished, &call_) != napi_ok)
    return false;
  napi_unref_threadsafe_function(env_, call_);
  // Hooks run last first, so this one ends the thread before the function it calls is gone.
  napi_add_env_cleanup_hook(env_, onStop, this);
  thread_ = std::thread([this] { work(); });
  return true;
}

void AsyncQueue::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  napi_release_threadsafe_function(call_, napi_tsfn_release);
}

std::unique_ptr<Job> AsyncQueue::take() {
  if (unused_.empty()) return std::make_unique<Job>();
  std::unique_ptr<Job> job = std::move(unused_.back());
  unused_.pop_back();
  return job;
}

bool AsyncQueue::push(std::unique_ptr<Job> job) {
  if (!start()) return false;
  // The process must not end while a run is under way.
  if (pending_++ == 0) napi_ref_threadsafe_function(env_, call_);
  {
    std::lock_guard<std::mutex> hold(mutex_);
    waiting_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void AsyncQueue::work() {
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock<std::mutex> hold(mutex_);
      wake_.wait(hold, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    job->result = runProgram(*job->program, context_, job->arrays.data());
    if (napi_call_threadsafe_function(call_, job.get(), napi_tsfn_nonblocking) == napi_ok)
      job.release();
  }
}

void AsyncQueue::onFinished(napi_env env, napi_value, void* context, void* data) {
  auto* self = static_cast<AsyncQueue*>(context);
  std::unique_ptr<Job> job(static_cast<Job*>(data));
  if (env == nullptr) return;
  if (--self->pending_ == 0) napi_unref_threadsafe_function(env, self->call_);
  self->finish_(env, *job);
  job->program.reset();
  self->unused_.push_back(std::move(job));
}

}  // namespace gradus
