// The Node addon, on Node-API alone: load, run, runAsync and settings. src/backend/cpu/native.ts is
// its other side.
#include <node_api.h>

#include "asyncQueue.h"
#include "isa.h"

namespace gradus {

namespace {

// What belongs to one JavaScript environment (the main thread's or a worker's).
struct Addon {
  explicit Addon(napi_env env) : queue(env, finish) {}
  Context context;
  std::vector<void*> arrays;
  std::shared_ptr<std::atomic<int64_t>> programs = std::make_shared<std::atomic<int64_t>>(0);
  AsyncQueue queue;
  static void finish(napi_env env, Job& job);
};

// Marks the externals made here, so that no other pointer is ever taken for a program.
constexpr napi_type_tag kProgramTag = {0x6772616475735f70, 0x726f6772616d5f31};

struct Handle {
  std::shared_ptr<Program> program;
  std::shared_ptr<std::atomic<int64_t>> count;
};

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

Addon* addonOf(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Addon*>(data);
}

template <size_t N>
bool argumentsOf(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count == N)
    return true;
  fail(env, "wrong number of arguments");
  return false;
}

napi_typedarray_type arrayTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return napi_float32_array;
    case DType::kFloat64:
      return napi_float64_array;
    case DType::kInt32:
      return napi_int32_array;
    default:
      return napi_uint8_array;
  }
}

bool typedArray(napi_env env, napi_value value, napi_typedarray_type type, void** data,
                size_t* length) {
  napi_typedarray_type actual;
  return napi_get_typedarray_info(env, value, &actual, length, data, nullptr, nullptr) == napi_ok &&
         actual == type;
}

void deleteHandle(napi_env, void* data, void*) {
  auto* handle = static_cast<Handle*>(data);
  handle->count->fetch_sub(1);
  delete handle;
}

napi_value load(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!argumentsOf(env, info, arguments)) return nullptr;
  void *words, *constants;
  size_t wordCount, constantCount;
  if (!typedArray(env, arguments[0], napi_int32_array, &words, &wordCount) ||
      !typedArray(env, arguments[1], napi_float64_array, &constants, &constantCount))
    return fail(env, "load expects an Int32Array and a Float64Array");
  std::string error;
  std::shared_ptr<Program> program = decodeProgram(
      static_cast<const int32_t*>(words), static_cast<int64_t>(wordCount),
      static_cast<const double*>(constants), static_cast<int64_t>(constantCount), error);
  if (program == nullptr) return fail(env, error.c_str());
  countAllocation();
  auto* handle = new Handle{std::move(program), addonOf(env)->programs};
  handle->count->fetch_add(1);
  napi_value result;
  if (napi_create_external(env, handle, deleteHandle, nullptr, &result) != napi_ok) {
    deleteHandle(env, handle, nullptr);
    return fail(env, "the program could not be kept");
  }
  napi_type_tag_object(env, result, &kProgramTag);
  return result;
}

Handle* handleOf(napi_env env, napi_value value) {
  void* data = nullptr;
  bool tagged = false;
  if (napi_get_value_external(env, value, &data) == napi_ok &&
      napi_check_object_type_tag(env, value, &kProgramTag, &tagged) == napi_ok && tagged)
    return static_cast<Handle*>(data);
  fail(env, "this is no loaded program");
  return nullptr;
}

// Checks `list` against the buffer table and takes the addresses of its arrays.
bool collect(napi_env env, const Program& program, napi_value list, std::vector<void*>& arrays) {
  uint32_t count = 0;
  const size_t expected = program.externals.size();
  if (napi_get_array_length(env, list, &count) != napi_ok || count != expected) {
    fail(env, ("the program needs " + std::to_string(expected) + " arrays, got " +
               std::to_string(count))
                  .c_str());
    return false;
  }
  if (arrays.size() < expected) arrays.resize(expected);
  for (uint32_t i = 0; i < count; i++) {
    const Buffer& buffer = program.buffers[static_cast<size_t>(program.externals[i])];
    napi_value value;
    size_t length = 0;
    if (napi_get_element(env, list, i, &value) == napi_ok &&
        typedArray(env, value, arrayTypeOf(buffer.dtype), &arrays[i], &length) &&
        length == static_cast<size_t>(buffer.elements))
      continue;
    fail(env, ("array " + std::to_string(i) + " is not of the type and length (" +
               std::to_string(buffer.elements) + ") that the program was made for")
                  .c_str());
    return false;
  }
  return true;
}

napi_value resultOf(napi_env env, const RunResult& result) {
  napi_value list;
  if (result.failure == Failure::kNone) {
    napi_get_null(env, &list);
    return list;
  }
  const double numbers[] = {static_cast<double>(result.failure),
                            static_cast<double>(result.origin), static_cast<double>(result.value),
                            static_cast<double>(result.limit)};
  napi_create_array_with_length(env, 4, &list);
  for (uint32_t i = 0; i < 4; i++) {
    napi_value number;
    napi_create_double(env, numbers[i], &number);
    napi_set_element(env, list, i, number);
  }
  return list;
}

napi_value run(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!argumentsOf(env, info, arguments)) return nullptr;
  Handle* handle = handleOf(env, arguments[0]);
  Addon* addon = addonOf(env);
  if (handle == nullptr || !collect(env, *handle->program, arguments[1], addon->arrays))
    return nullptr;
  return resultOf(env, runProgram(*handle->program, addon->context, addon->arrays.data()));
}

void Addon::finish(napi_env env, Job& job) {
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  napi_delete_reference(env, job.hold);
  napi_resolve_deferred(env, job.deferred, resultOf(env, job.result));
  napi_close_handle_scope(env, scope);
}

napi_value runAsync(napi_env env, napi_callback_info info) {
  napi_value arguments[2], promise;
  if (!argumentsOf(env, info, arguments)) return nullptr;
  Handle* handle = handleOf(env, arguments[0]);
  if (handle == nullptr) return nullptr;
  Addon* addon = addonOf(env);
  std::unique_ptr<Job> job = addon->queue.take();
  if (!collect(env, *handle->program, arguments[1], job->arrays)) return nullptr;
  job->program = handle->program;
  if (napi_create_reference(env, arguments[1], 1, &job->hold) != napi_ok ||
      napi_create_promise(env, &job->deferred, &promise) != napi_ok ||
      !addon->queue.push(std::move(job)))
    return fail(env, "the run could not be queued");
  return promise;
}

napi_value setThreads(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  int32_t count = 0;
  if (!argumentsOf(env, info, arguments)) return nullptr;
  if (napi_get_value_int32(env, arguments[0], &count) != napi_ok || count < 1)
    return fail(env, "the number of threads must be 1 or more");
  setThreadCount(count);
  return nullptr;
}

napi_value setProfiling(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  bool on = false;
  if (!argumentsOf(env, info, arguments)) return nullptr;
  if (napi_get_value_bool(env, arguments[0], &on) != napi_ok)
    return fail(env, "setProfiling expects a boolean");
  gradus::setProfiling(on);
  return nullptr;
}

// Milliseconds that each instruction of a program has taken while profiling was on.
napi_value times(napi_env env, napi_callback_info info) {
  napi_value arguments[1], list;
  if (!argumentsOf(env, info, arguments)) return nullptr;
  const Handle* handle = handleOf(env, arguments[0]);
  if (handle == nullptr) return nullptr;
  const std::vector<double>& spent = handle->program->times;
  napi_create_array_with_length(env, spent.size(), &list);
  for (size_t i = 0; i < spent.size(); i++) {
    napi_value number;
    napi_create_double(env, spent[i] / 1e6, &number);
    napi_set_element(env, list, static_cast<uint32_t>(i), number);
  }
  return list;
}

napi_value setIsa(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result;
  char name[32];
  if (!argumentsOf(env, info, arguments)) return nullptr;
  if (napi_get_value_string_utf8(env, arguments[0], name, sizeof name, nullptr) != napi_ok)
    return fail(env, "setIsa expects a name");
  napi_get_boolean(env, selectTable(name), &result);
  return result;
}

void setNumber(napi_env env, napi_value object, const char* name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

napi_value info(napi_env env, napi_callback_info) {
  napi_value object, name, list;
  napi_create_object(env, &object);
  napi_create_string_utf8(env, currentTable().name, NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, object, "isa", name);
  napi_create_array(env, &list);
  const KernelTable* const* tables = availableTables();
  for (uint32_t i = 0; tables[i] != nullptr; i++) {
    napi_create_string_utf8(env, tables[i]->name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i, name);
  }
  napi_set_named_property(env, object, "isas", list);
  setNumber(env, object, "threads", threadCount());
  return object;
}

napi_value memory(napi_env env, napi_callback_info) {
  napi_value object;
  const Addon* addon = addonOf(env);
  napi_create_object(env, &object);
  setNumber(env, object, "programs", static_cast<double>(addon->programs->load()));
  setNumber(env, object, "arenaBytes",
            static_cast<double>(addon->context.bytes() + addon->queue.context().bytes()));
  setNumber(env, object, "allocations", static_cast<double>(allocationCount()));
  return object;
}

void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

}  // namespace gradus

NAPI_MODULE_INIT() {
  using namespace gradus;
  const auto release = [](napi_env, void* data, void*) { delete static_cast<Addon*>(data); };
  if (napi_set_instance_data(env, new Addon(env), release, nullptr) != napi_ok) return exports;
  define(env, exports, "load", load);
  define(env, exports, "run", run);
  define(env, exports, "runAsync", runAsync);
  define(env, exports, "setThreads", setThreads);
  define(env, exports, "setIsa", setIsa);
  define(env, exports, "setProfiling", setProfiling);
  define(env, exports, "times", times);
  define(env, exports, "info", info);
  define(env, exports, "memory", memory);
  return exports;
}
