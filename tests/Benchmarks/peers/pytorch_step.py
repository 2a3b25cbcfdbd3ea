"""Peer: one training step of PyTorch on one thread: forward, cross-entropy, backward, SGD with momentum; samples resident.

Each line on standard input is a request, MODEL BATCH (MODEL: mlp, mlp:H1,H2,.. or cnn), each line on standard output the seconds of a step.
"""
import os
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before any library reads it

import functools
import sys
import time

import torch
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential

SLICE_SECONDS = 0.1  # length of one measurement
CLASSES = 10


def network(model):
    if model == "cnn":
        return Sequential(
            Conv2d(1, 32, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(32, 64, 3, padding=1), ReLU(), MaxPool2d(2),
            Flatten(), Linear(3136, 128), ReLU(), Linear(128, CLASSES))
    _, _, sizes = model.partition(":")
    layers, width = [Flatten()], 784
    for hidden in map(int, (sizes or "512,512").split(",")):
        layers += [Linear(width, hidden), ReLU()]
        width = hidden
    return Sequential(*layers, Linear(width, CLASSES))


@functools.lru_cache
def trainer(model, batch):
    net, loss = network(model), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    images, labels = torch.rand(batch, 1, 28, 28), torch.arange(batch) % CLASSES

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(net(images), labels).backward()
        optimizer.step()

    return step


def mean(step, slice_seconds):
    start, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - start < slice_seconds:
        step()
        count += 1
    return (time.perf_counter() - start) / count


def seconds(step):
    mean(step, SLICE_SECONDS / 4)
    return mean(step, SLICE_SECONDS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for line in sys.stdin:
        model, batch = line.split()
        print(seconds(trainer(model, int(batch))), flush=True)
