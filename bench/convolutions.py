"""PyTorch's side of convolutions.ts: reads one JSON request a line, answers one JSON line with the median time in ms.

A request is {"kernel": …, "layer": [n, c, o, size, k, pad, stride], "seconds": s}.
"""
import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))


def prepare(kernel, layer):
    n, c, o, size, k, pad, stride = layer
    x, w = torch.randn(n, c, size, size), torch.randn(o, c, k, k)
    y = torch.conv2d(x, w, None, stride, pad)
    if kernel == "convolution":
        return lambda: torch.conv2d(x, w, None, stride, pad)
    mask = [kernel == "convolutionInputGrad", kernel == "convolutionWeightGrad", False]
    g = torch.randn_like(y)
    pairs = [stride] * 2, [pad] * 2, [1, 1]
    return lambda: torch.ops.aten.convolution_backward(g, x, w, None, *pairs, False, [0, 0], 1, mask)


calls = {}
for line in sys.stdin:
    request = json.loads(line)
    key = json.dumps([request["kernel"], request["layer"]])
    with torch.no_grad():
        if key not in calls:
            calls[key] = prepare(request["kernel"], request["layer"])
            calls[key]()
        times = []
        end = time.perf_counter() + request["seconds"]
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            calls[key]()
            times.append(time.perf_counter() - start)
    print(json.dumps(sorted(times)[len(times) // 2] * 1e3), flush=True)
