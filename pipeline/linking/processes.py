"""Batches linked by several processes, and given back in order.

Where processes are forked (Linux), they share the index that is there already; elsewhere each makes its
own. A process ends with the one that started it, also when that is killed.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ...errors import UserError
from .batches import Batch
from .former_links import FormerBatch
from .linked_batch import BatchLinker, LinkedBatch, link_batch

WAITING = 2  # batches for each process, so that none is idle
WAITING_CHARACTERS = 1 << 24  # of all texts that are under way, but for one that is longer

# What, what was found in it before, in which format, into which file.
Task = tuple[Batch, FormerBatch | None, str, Path]
LinkAll = Callable[[Iterable[Task]], Iterator[LinkedBatch]]

_linker: BatchLinker | None = None  # of a process that was started to link


@contextmanager
def linking_processes(
    linker: BatchLinker, open_anew: Callable[[], BatchLinker], count: int
) -> Iterator[LinkAll]:
    """A function that links batches in `count` processes; with one, in this one.

    Args:
        linker: shared by processes that are forked.
        open_anew: makes the same in those that aren't; it is pickled.
        count: processes.

    Raises:
        UserError: while linking, where the system ends a process.
    """
    if count == 1:
        yield lambda tasks: (link_batch(linker, *task) for task in tasks)
        return
    forked = sys.platform == "linux"
    prepare = (lambda: linker) if forked else open_anew
    context = multiprocessing.get_context("fork" if forked else "spawn")
    gc.freeze()  # what is there now is shared for longer where nobody looks through it for garbage
    executor = ProcessPoolExecutor(count, context, _begin, (prepare,))
    try:
        executor.submit(os.getpid).result()  # starts them before there are threads
        yield partial(_in_order, executor, count)
    except BrokenProcessPool as error:
        fix = "free some memory, or take fewer: --workers 1"
        raise UserError("a linking process was ended by the system", "", fix) from error
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)
        gc.unfreeze()


def _in_order(
    executor: ProcessPoolExecutor, count: int, tasks: Iterable[Task]
) -> Iterator[LinkedBatch]:
    waiting: deque[tuple[int, Future[LinkedBatch]]] = deque()
    for task in tasks:
        characters = task[0].characters
        while waiting and (
            len(waiting) >= WAITING * count
            or characters + sum(size for size, _ in waiting) > WAITING_CHARACTERS
        ):
            yield waiting.popleft()[1].result()
        waiting.append((characters, executor.submit(_link, *task)))
        del task  # its texts are sent off, or wait in the executor alone
    while waiting:
        yield waiting.popleft()[1].result()


def _begin(prepare: Callable[[], BatchLinker]) -> None:
    global _linker
    # Ctrl-C reaches the whole group: the one that started this one says what became of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _linker = prepare()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _link(batch: Batch, former: FormerBatch | None, format: str, part: Path) -> LinkedBatch:
    assert _linker is not None
    return link_batch(_linker, batch, former, format, part)
