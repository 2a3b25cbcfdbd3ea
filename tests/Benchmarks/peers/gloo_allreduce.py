"""Sums a tensor over processes with Gloo over loopback, as PyTorch's DistributedDataParallel does on processors.

Arguments: the number of processes, then sizes in MiB. For each size, the first process prints the median seconds of a call.
"""
import os
import socket
import statistics
import sys
import time

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing

WARM_UP, STEPS = 10, 50


def median_seconds(mebibytes):
    tensor = torch.ones(int(mebibytes * (1 << 20) / 4))
    seconds = []
    for _ in range(WARM_UP + STEPS):
        tensor.fill_(1)
        distributed.barrier()
        start = time.perf_counter()
        distributed.all_reduce(tensor)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[WARM_UP:])


def process(rank, world, port, sizes):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    distributed.init_process_group("gloo", rank=rank, world_size=world)
    for size in sizes:
        seconds = median_seconds(size)
        if rank == 0:
            print(f"{seconds:.9f}", flush=True)


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world = int(sys.argv[1])
    multiprocessing.spawn(process, args=(world, port, [float(size) for size in sys.argv[2:]]), nprocs=world)
