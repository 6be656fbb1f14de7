"""How far VmHWM falls short of a peak that is unmapped before anybody looks.

Since Linux 6.2 the kernel counts a process's resident pages by processor, and adds a processor's count to the
total once it reaches max(32, 2n) pages, with n processors (lib/percpu_counter.c, compute_batch_value). The
total, and so VmHWM, may err by as much for each processor. Each process here touches known memory, on one
processor or on all in turn, unmaps it, and then reads its VmHWM. What was there before is counted exactly,
from the page tables (smaps_rollup). Prints how many processes missed how many pages (below 0: more).
"""

import mmap
import os
import re
import sys
from collections import Counter
from itertools import count
from pathlib import Path

PAGE = mmap.PAGESIZE
MIB = 1 << 20
FEWEST_PAGES, STEP = 37, 3
"""A process moves to the next processor after so many pages, and `STEP` more in each next process."""


def kib(file: str, name: str) -> int:
    """A field of a file of /proc/self in KiB."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self", file).read_text())
    assert found is not None
    return int(found[1])


def missed_pages(size: int, pages_on_one: int | None) -> int:
    """Touch `size` bytes, moving to the next processor after so many pages; the pages that VmHWM lacks."""
    processors = sorted(os.sched_getaffinity(0))
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    before = kib("smaps_rollup", "Rss")
    turn = count()
    for number in range(size // PAGE):
        if pages_on_one is not None and number % pages_on_one == 0:
            os.sched_setaffinity(0, {processors[next(turn) % len(processors)]})
        memory[number * PAGE] = 1
    memory.close()
    return (before * 1024 + size - kib("status", "VmHWM") * 1024) // PAGE


def in_a_child(size: int, pages_on_one: int | None) -> int:
    """The same, in a process of its own."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, str(missed_pages(size, pages_on_one)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        missed = int(answer.read())
    os.wait()
    return missed


def main(processes: int) -> None:
    """Measure on one processor, and on all in turn."""
    batch = max(32, 2 * (os.cpu_count() or 1))
    print(f"{os.uname().release}, {os.cpu_count()} processors: each may miss {batch} pages")
    for name, moving in (("one processor", False), ("all in turn", True)):
        missed = Counter(
            in_a_child((20 + number % 7) * MIB, FEWEST_PAGES + STEP * number if moving else None)
            for number in range(processes)
        )
        print(f"{name}: {processes} processes, pages missed: {dict(sorted(missed.items()))}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
