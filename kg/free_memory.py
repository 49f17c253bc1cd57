"""Memory that was freed given back to the system, which sees the most that a process ever held."""

import ctypes
import sys

import pyarrow as pa

M_ARENA_MAX = -8  # of glibc's malloc.h
POOLS = 2


def give_back() -> None:
    """Give back what arrow's and C's allocators keep for later; before something large is begun."""
    pa.default_memory_pool().release_unused()
    _call("malloc_trim", 0)


def share_pools() -> None:
    """Let threads share few of C's pools of memory, from now on in this process.

    Else each thread that Oxigraph loads with has one, and each pool keeps a little of every load.
    """
    _call("mallopt", M_ARENA_MAX, POOLS)


def _call(name: str, *arguments: int) -> None:
    """Call a function of glibc, where it is the C library."""
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function:
        function(*arguments)
