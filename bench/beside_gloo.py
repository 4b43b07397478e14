"""All-reduce of a float32 gradient between processes on this machine: ours and Gloo's, in turn.

    beside_gloo.py ADDERNET WORKERS MEGABYTES
"""
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

TURNS, ROUNDS, WARM = 3, 9, 5


def member(rank, world, elements, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=world)
    gradient = torch.full((elements,), float(rank + 1))
    seconds = []
    for _ in range(WARM + ROUNDS):
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(gradient)
        dist.barrier()
        seconds.append(time.perf_counter() - start)
        expected = world * (world + 1) / 2
        assert bool((gradient == expected).all()), "Gloo's sum is wrong"
        gradient.fill_(float(rank + 1))
    if rank == 0:
        results.put(seconds[WARM:])
    dist.barrier()


def gloo(world, elements):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results = mp.get_context("spawn").SimpleQueue()
    processes = mp.spawn(member, (world, elements, port, results), nprocs=world, join=False)
    seconds = results.get()
    processes.join()
    return seconds


def ours(addernet, world, megabytes):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([addernet, "bench", "exchange", "--workers", str(world), "--megabytes", str(megabytes), "--rounds", str(ROUNDS), "--alone", "--json", file.name],
                       check=True, stdout=subprocess.DEVNULL)
        rows = json.load(open(file.name))["rows"]
    return next(row["seconds"] for row in rows if row["name"] == "all-reduce")


def main():
    addernet, world, megabytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    elements = megabytes * 1_000_000 // 4
    mine, theirs = [], []
    for _ in range(TURNS):
        mine.append(ours(addernet, world, megabytes))
        theirs.append(statistics.median(gloo(world, elements)))
    ratio = statistics.median(mine) / statistics.median(theirs)
    print(f"all-reduce of {megabytes} MB, {world} processes: "
          f"AdderNet {statistics.median(mine) * 1e3:.0f} ms ({', '.join(f'{s * 1e3:.0f}' for s in mine)}), "
          f"Gloo {statistics.median(theirs) * 1e3:.0f} ms ({', '.join(f'{s * 1e3:.0f}' for s in theirs)}): {ratio:.2f} times")


if __name__ == "__main__":
    main()
