#!/usr/bin/env python3
"""PyTorch's side of the benchmark: one process that stays, so that both sides can be timed in turn.

Usage: python3 torch_peer.py BASELINE [THREADS]

BASELINE is the file that defines the workloads; it is imported, not copied. Reads one JSON command a line and answers each
with one JSON line:

    {"command": "prepare", "workload": "lenet", "start": FILE}   writes what the workload starts from (safetensors): the
                                                                model's state under "model.", data under "data."
    {"command": "prepare", "workload": "gpt", "batch": 4, "width": 64, "layers": 2}      the same in another size
    {"command": "check"}                                        the first losses, or a digest of a kernel's result
    {"command": "time", "seconds": 0.7}                         times of single steps in ms
    {"command": "memory", "steps": 20}                          peak resident memory in bytes after so many steps
"""
import importlib.util
import inspect
import json
import struct
import sys
import time

import torch

CHAIN = 100
SAMPLES = 16
CHECKED_STEPS = 3
TYPES = {torch.float32: "F32", torch.int64: "I32"}


def load_baseline(path):
    spec = importlib.util.spec_from_file_location("baseline", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_safetensors(path, tensors):
    """Integers go as int32, which holds all indices and labels."""
    header, parts, place = {}, [], 0
    for name, value in tensors.items():
        kept = value.detach().contiguous()
        data = (kept.to(torch.int32) if kept.dtype == torch.int64 else kept).numpy().tobytes()
        header[name] = {"dtype": TYPES[kept.dtype], "shape": list(kept.shape), "data_offsets": [place, place + len(data)]}
        parts.append(data)
        place += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def digest(values):
    """The mean size of a result's elements, and some of them spread over it, as shares of that."""
    flat = values.detach().flatten().double()
    mean = flat.abs().mean().item()
    last = flat.numel() - 1
    return [mean] + [flat[i * last // (SAMPLES - 1)].item() / mean for i in range(SAMPLES)]


class Workload:
    """What a command is about: the call that is timed, and what it starts from."""

    def __init__(self, call, start, is_kernel):
        self.call, self.start, self.is_kernel = call, start, is_kernel

    def check(self):
        if self.is_kernel:
            return digest(self.call())
        return [self.call() for _ in range(CHECKED_STEPS)]


def kernel(call):
    """A product or convolution: its operands are what the call closes over."""
    parts = inspect.getclosurevars(call).nonlocals
    return Workload(call, {f"data.{name}": value for name, value in parts.items()}, True)


def chain(baseline, n):
    parts = inspect.getclosurevars(baseline.matmul(n)()[0]).nonlocals
    a, b = parts["a"], parts["b"] / n**0.5

    def call():
        x = a
        for _ in range(CHAIN):
            x = x @ b
        return x

    return Workload(call, {"data.a": a, "data.b": b}, True)


def training(call):
    parts = inspect.getclosurevars(call).nonlocals
    start = {f"model.{name}": value.clone() for name, value in parts["model"].state_dict().items()}
    start.update({"data.x": parts["x"], "data.y": parts["y"]})
    return Workload(call, start, False)


def resized(baseline, call, command):
    """The same step with another batch, or with a model of another width or depth."""
    parts = inspect.getclosurevars(call).nonlocals
    model, optimizer, x, y = (parts[name] for name in ("model", "optimizer", "x", "y"))
    sizes = {torch_name: command[name] for name, torch_name in (("width", "d"), ("layers", "layers")) if name in command}
    if sizes:
        model = baseline.GPT(**sizes)
        optimizer = type(optimizer)(model.parameters(), optimizer.defaults["lr"])
    batch = command.get("batch", x.shape[0])
    repeats = -(-batch // x.shape[0])
    x, y = (value.repeat(repeats, *[1] * (value.dim() - 1))[:batch].contiguous() for value in (x, y))
    return baseline.training_step(model, optimizer, x, y, parts["loss_of"])


def make(baseline, command):
    name = command["workload"]
    torch.manual_seed(0)
    if name.endswith("-chain"):
        return chain(baseline, int(name.split("-")[1]))
    if name.startswith("matmul-"):
        return kernel(baseline.matmul(int(name.split("-")[1]))()[0])
    call, _ = baseline.WORKLOADS[name]()
    if name.startswith("conv-"):
        return kernel(call)
    if {"batch", "width", "layers"} & command.keys():
        call = resized(baseline, call, command)
    return training(call)


def time_calls(call, seconds):
    for _ in range(2):
        call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def peak_memory():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def answer(baseline, workload, command):
    kind = command["command"]
    if kind == "check":
        return {"check": workload.check()}
    if kind == "time":
        return {"times": time_calls(workload.call, command["seconds"])}
    if kind == "memory":
        idle = peak_memory()
        for _ in range(command["steps"]):
            workload.call()
        return {"peak": peak_memory(), "idle": idle}
    raise ValueError(f"unknown command {kind}")


def main():
    baseline = load_baseline(sys.argv[1])
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else torch.get_num_threads()
    torch.set_num_threads(threads)
    print(json.dumps({"peer": f"torch {torch.__version__}", "threads": threads}), flush=True)
    workload = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["command"] == "prepare":
                workload = make(baseline, command)
                if "start" in command:
                    write_safetensors(command["start"], workload.start)
                reply = {"prepared": command["workload"]}
            else:
                reply = answer(baseline, workload, command)
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
