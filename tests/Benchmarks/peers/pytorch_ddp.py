"""Peer: PyTorch DistributedDataParallel over Gloo, one process per rank, one thread each.

usage: pytorch_ddp.py MODEL RANKS BATCH_PER_RANK STEPS     (MODEL: mlp, mlp:H1,H2,.. or cnn)
Prints samples per second over all ranks: the median of five windows of STEPS steps, after one to warm up.
"""
import os
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before any library reads it

import gzip
import socket
import statistics
import sys
import time

import numpy
import torch
import torch.distributed
import torch.multiprocessing

from pytorch_step import network

FOLDER = "/usr/share/datasets/fashion-mnist"
WINDOWS = 6


def read(name, header):
    with gzip.open(os.path.join(FOLDER, name)) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def train(rank, ranks, model, batch, steps, port):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "127.0.0.1", str(port)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    images = torch.from_numpy(read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28).astype(numpy.float32) / 255)
    labels = torch.from_numpy(read("train-labels-idx1-ubyte.gz", 8).astype(numpy.int64))
    net = torch.nn.parallel.DistributedDataParallel(network(model))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    loss = torch.nn.CrossEntropyLoss()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    position, seconds = 0, []
    for _ in range(WINDOWS):
        torch.distributed.barrier()
        start = time.perf_counter()
        for _ in range(steps):
            if position + ranks * batch > len(order):
                position = 0
            chosen = order[position + rank * batch:position + (rank + 1) * batch]
            position += ranks * batch
            optimizer.zero_grad(set_to_none=True)
            loss(net(images[chosen]), labels[chosen]).backward()
            optimizer.step()
        torch.distributed.barrier()
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        print(ranks * batch * steps / statistics.median(seconds[1:]), flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    model, ranks, batch, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    torch.multiprocessing.spawn(train, args=(ranks, model, batch, steps, free_port()), nprocs=ranks)
