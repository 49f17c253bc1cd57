"""What a run records about where it ran: versions, device, peak memory, digest of infact's code."""

import hashlib
import importlib.metadata
import platform
import re
import resource
import sys
from pathlib import Path

_PEAK_RESET = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_MEMORY = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup")


def package_versions() -> dict[str, str]:
    """Versions of Python, infact and the installed packages that infact names as dependencies."""
    versions = {"python": platform.python_version()}
    for requirement in ["infact", *(importlib.metadata.requires("infact") or ())]:
        found = re.match(r"[\w.-]+", requirement)
        if found and "extra ==" not in requirement:
            versions[found[0]] = importlib.metadata.version(found[0])
    return versions


def device_name() -> str:
    """The accelerator if torch is loaded and sees one, else the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{platform.machine()} processor"


def code_digest() -> str:
    """sha256 over infact's Python files, first 16 hexadecimal digits."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for room in ("kg", "models", "pipeline"):
        for path in sorted((root / room).glob("**/*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def free_memory_bytes() -> int | None:
    """What the system says is free, and a container's limit leaves; None where it doesn't say."""
    found = _number(_MEMORY, r"MemAvailable:\s+(\d+) kB")
    limit = _number(_CONTAINER / "memory.max", r"(\d+)\s*$")
    used = _number(_CONTAINER / "memory.current", r"(\d+)\s*$")
    if found is None or limit is None or used is None:
        return None if found is None else found * 1024
    # What files were read last counts as used, and is given back when it is needed.
    cached = _number(_CONTAINER / "memory.stat", r"(?m)^inactive_file (\d+)$") or 0
    return min(found * 1024, max(0, limit - used + cached))


def _number(file: Path, pattern: str) -> int | None:
    """The one that a file of the system says, where there is such a file."""
    found = re.search(pattern, file.read_text()) if file.exists() else None
    return int(found[1]) if found else None


def reset_peak_memory() -> None:
    """Start a new peak; where the system can't (anything but Linux), the process's peak stays."""
    try:
        _PEAK_RESET.write_text("5")
    except OSError:
        return


def peak_memory_bytes() -> int:
    """Largest resident memory since the last reset."""
    if (found := _number(_STATUS, r"VmHWM:\s+(\d+) kB")) is not None:
        return found * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
