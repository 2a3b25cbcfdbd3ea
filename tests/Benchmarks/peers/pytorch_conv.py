"""Peer: the passes of PyTorch's convolution on one thread, bias and ReLU included in the forward pass as in a network.

Each line on standard input is a request, FORM BATCH HEIGHT WIDTH CHANNELS FILTERS KERNEL STRIDE PADDING (FORM: forward, input or weight), each
line on standard output the seconds of one pass.
"""
import os
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before any library reads it

import functools
import sys
import time

import torch
from torch.nn.functional import conv2d

SLICE_SECONDS = 0.02  # length of one measurement


@functools.lru_cache
def tensors(batch, height, width, channels, filters, kernel, stride, padding):
    x, w, b = torch.rand(batch, channels, height, width) - 0.5, torch.rand(filters, channels, kernel, kernel) - 0.5, torch.rand(filters)
    return x, w, b, torch.rand_like(conv2d(x, w, b, stride, padding))


def make_pass(form, *sizes):
    x, w, b, gradient = tensors(*sizes)
    stride, padding = [sizes[-2]] * 2, [sizes[-1]] * 2
    if form == "forward":
        return lambda: conv2d(x, w, b, stride, padding).relu_()
    wanted = (True, False, False) if form == "input" else (False, True, True)
    return lambda: torch.ops.aten.convolution_backward(gradient, x, w, [len(b)], stride, padding, [1, 1], False, [0, 0], 1, wanted)


def seconds(run):
    run()
    start, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - start < SLICE_SECONDS:
        run()
        count += 1
    return (time.perf_counter() - start) / count


torch.set_num_threads(1)
torch.manual_seed(1)
for line in sys.stdin:
    form, *sizes = line.split()
    with torch.no_grad():
        print(seconds(make_pass(form, *map(int, sizes))), flush=True)
