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


def reset_peak_memory() -> None:
    """Start a new peak; where the system can't (anything but Linux), the process's peak stays."""
    try:
        _PEAK_RESET.write_text("5")
    except OSError:
        return


def peak_memory_bytes() -> int:
    """Largest resident memory since the last reset."""
    if _STATUS.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
