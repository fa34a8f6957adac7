"""PyTorch's side of attention.ts: shapes as JSON on standard input, [name, ms] pairs as JSON on standard output."""
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))


def attend(qkv, heads):
    batch, steps, channels = qkv.shape
    width = channels // 3 // heads
    q, k, v = (z.view(batch, steps, heads, width).transpose(1, 2) for z in qkv.split(channels // 3, 2))
    if hasattr(F, "scaled_dot_product_attention"):
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    else:
        s = (q @ k.transpose(-1, -2)) * width ** -0.5
        y = s.masked_fill(torch.triu(torch.ones(steps, steps, dtype=torch.bool), 1), float("-inf")).softmax(-1) @ v
    return y.transpose(1, 2).reshape(batch, steps, channels // 3)


def median(call):
    call()
    times, end = [], time.perf_counter() + 0.35
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * sorted(times)[len(times) // 2]


rows = []
for batch, heads, steps, width in json.load(sys.stdin):
    x = torch.randn(batch, steps, 3 * heads * width, requires_grad=True)
    g = torch.randn(batch, steps, heads * width)

    def forward():
        with torch.no_grad():
            attend(x, heads)

    def both():
        x.grad = None
        attend(x, heads).backward(g)

    name = f"{batch},{heads},{steps},{width}"
    rows += [[f"{name} false", median(forward)], [f"{name} true", median(both)]]
json.dump(rows, sys.stdout)
