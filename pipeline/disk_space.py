"""A disk that is full, however the library that wrote to it says so."""

import errno
import os

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# safetensors and pyarrow pass on the system's words without its number.
WORDS = tuple(os.strerror(number).lower() for number in NO_ROOM)


def is_full(error: BaseException) -> bool:
    """Whether there was no room left, by the system's error number or by its words."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    return any(words in str(error).lower() for words in WORDS)


def told(error: BaseException) -> str:
    """What happened, where it is known, and how to mend it."""
    place = str(error.filename) if isinstance(error, OSError) and error.filename else ""
    lines = (
        f"the disk is full: {str(error).splitlines()[0]}",
        place,
        "Free some space and run again: what was finished is kept, and the rest goes on from there.",
    )
    return "\n".join(line for line in lines if line)
