"""Memory that was freed given back to the system, which sees the most that a process ever held."""

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """Give back what arrow's and C's allocators keep for later; before something large is begun."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:  # glibc has it
        trim(0)
