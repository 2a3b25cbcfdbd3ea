"""Peer: PyTorch DistributedDataParallel over Gloo from its command to the first step of a training of digits, one process per rank.

usage: pytorch_start.py RANKS DIGITS.CSV.GZ
Prints a line when every rank has done the first step.
"""
import os
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before any library reads it

import gzip
import sys

import numpy
import torch
import torch.distributed
import torch.multiprocessing

from pytorch_ddp import free_port

BATCH = 64


def train(rank, ranks, path, port):
    torch.set_num_threads(1)
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "127.0.0.1", str(port)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    with gzip.open(path, "rt") as file:
        rows = numpy.loadtxt(file, numpy.float32, delimiter=",")
    images, labels = torch.from_numpy(rows[:, :-1] / 16), torch.from_numpy(rows[:, -1].astype(numpy.int64))
    net = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(
        torch.nn.Linear(64, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10)))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    share = slice(rank * BATCH // ranks, (rank + 1) * BATCH // ranks)
    torch.nn.functional.cross_entropy(net(images[share]), labels[share]).backward()
    optimizer.step()
    torch.distributed.barrier()
    if rank == 0:
        print("first step", flush=True)


if __name__ == "__main__":
    ranks = int(sys.argv[1])
    torch.multiprocessing.spawn(train, args=(ranks, sys.argv[2], free_port()), nprocs=ranks)
