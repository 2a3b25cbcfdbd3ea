"""Peer: embeddings of 26 columns of categories with sparse gradients, alone and under a network, on one thread or under DDP over Gloo.

usage: pytorch_embeddings.py                        answers each line "PART OPTIMIZER FORM" of standard input with the seconds of a step
       pytorch_embeddings.py ddp OPTIMIZER FORM     prints samples per second of two ranks: the median of five windows, after one to warm up
PART: tables (look-up, gradient and update alone) or model (13 numbers, 512 and 256 units, two classes on top); OPTIMIZER: sgd or adagrad;
FORM: separate (a table for each column) or fused (one table whose rows are shifted by column).
"""
import os
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before any library reads it

import itertools
import socket
import statistics
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing

SIZES = [100_000] * 5 + [50_000] * 3 + [20_000] * 3 + [10_000] * 3 + [5_000, 2_000, 1_000, 1_000, 500, 200, 100, 50, 25, 15, 10, 4]
NUMBERS, DIMENSION, BATCH, BATCHES = 13, 16, 2048, 64


class Tables(torch.nn.Module):
    def __init__(self, form):
        super().__init__()
        if form == "fused":
            self.table = torch.nn.Embedding(sum(SIZES), DIMENSION, sparse=True)
            self.register_buffer("first", torch.tensor([0] + list(itertools.accumulate(SIZES))[:-1]))
        else:
            self.tables = torch.nn.ModuleList(torch.nn.Embedding(size, DIMENSION, sparse=True) for size in SIZES)
        self.form = form

    def forward(self, ids):
        if self.form == "fused":
            return self.table(ids + self.first).flatten(1)
        return torch.cat([table(ids[:, column]) for column, table in enumerate(self.tables)], 1)


class Model(torch.nn.Module):
    def __init__(self, form):
        super().__init__()
        self.tables = Tables(form)
        width = NUMBERS + DIMENSION * len(SIZES)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(width, 512), torch.nn.ReLU(), torch.nn.Linear(512, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2)
        )

    def forward(self, numbers, ids):
        return self.layers(torch.cat([numbers, self.tables(ids)], 1))


def batches(rows, seed):
    """Zipf's law with exponent 1: the logarithm of a rank is uniform."""
    random = torch.Generator().manual_seed(seed)
    result = []
    for _ in range(BATCHES):
        draws = torch.rand(rows, len(SIZES), generator=random, dtype=torch.float64)
        sizes = torch.tensor(SIZES, dtype=torch.float64)
        ids = torch.minimum(sizes**draws - 1, sizes - 1).long()
        result.append((torch.randn(rows, NUMBERS, generator=random), ids, torch.randint(2, (rows,), generator=random)))
    return result


def optimizer_of(name, parameters):
    return torch.optim.SGD(parameters, lr=0.01) if name == "sgd" else torch.optim.Adagrad(parameters, lr=0.01)


def stepper(part, name, form):
    torch.manual_seed(1)
    data = itertools.cycle(batches(BATCH, 1))
    if part == "tables":
        tables = Tables(form)
        optimizer = optimizer_of(name, tables.parameters())
        gradient = torch.randn(BATCH, DIMENSION * len(SIZES)) / BATCH

        def step():
            optimizer.zero_grad(set_to_none=True)
            tables(next(data)[1]).backward(gradient)
            optimizer.step()

        return step
    model, loss = Model(form), torch.nn.CrossEntropyLoss()
    return trainer(model, optimizer_of(name, model.parameters()), loss, data)


def trainer(model, optimizer, loss, data):
    def step():
        numbers, ids, labels = next(data)
        optimizer.zero_grad(set_to_none=True)
        loss(model(numbers, ids), labels).backward()
        optimizer.step()

    return step


def serve():
    torch.set_num_threads(1)
    steppers = {}
    for line in sys.stdin:
        key = tuple(line.split())
        if key not in steppers:
            steppers[key] = stepper(*key)
            for _ in range(5):
                steppers[key]()
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < 0.5:
            steppers[key]()
            count += 1
        print((time.perf_counter() - start) / count, flush=True)


def rank_of_two(rank, name, form, port):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "127.0.0.1", str(port)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    model = torch.nn.parallel.DistributedDataParallel(Model(form))
    step = trainer(model, optimizer_of(name, model.parameters()), torch.nn.CrossEntropyLoss(), itertools.cycle(batches(BATCH // 2, rank)))
    rates = []
    for _ in range(6):
        torch.distributed.barrier()
        start = time.perf_counter()
        for _ in range(20):
            step()
        torch.distributed.barrier()
        rates.append(20 * BATCH / (time.perf_counter() - start))
    if rank == 0:
        print(statistics.median(rates[1:]), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["ddp"]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        torch.multiprocessing.spawn(rank_of_two, args=(sys.argv[2], sys.argv[3], port), nprocs=2)
    else:
        serve()
