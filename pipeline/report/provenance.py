"""Where a report's numbers come from: data, model, seeds, stages, settings, versions."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from ..artifacts import Manifest
from ..words import clean_text

Json = dict[str, Any]
SOURCE_FIELDS = ("name", "version", "licence", "url", "format", "digest")
SOURCE_COUNTS = ("bytes", "read", "stored", "duplicate", "rejected")


def describe_provenance(
    sources: Sequence[Json], manifests: Mapping[str, Manifest], model: str, seed: int
) -> Json:
    """Sources with version, licence and digest; stages with key, seconds and settings."""
    packages: dict[str, str] = {}
    for manifest in manifests.values():
        packages.update(manifest.recorded.get("packages") or {})
    return {
        "model": clean_text(model),
        "seed": seed,
        "sources": [_source(source) for source in sources],
        "stages": [_stage(name, manifest) for name, manifest in manifests.items()],
        "packages": dict(sorted(packages.items())),
        "settings": {name: dict(entry.recipe.settings) for name, entry in manifests.items()},
    }


def describe_environment(manifests: Mapping[str, Manifest]) -> Json:
    """Where the answers were given: versions and device that the eval stage recorded; this system."""
    recorded = manifests["eval"].recorded if "eval" in manifests else {}
    packages = dict(recorded.get("packages") or {})
    return {
        "python": clean_text(str(packages.pop("python", ""))),
        "packages": {name: clean_text(str(packages[name])) for name in sorted(packages)},
        "device": clean_text(str(recorded.get("device") or "")),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _source(source: Json) -> Json:
    texts = {key: clean_text(str(source.get(key) or "")) for key in SOURCE_FIELDS}
    return {**texts, **{key: source.get(key) for key in SOURCE_COUNTS}}


def _stage(name: str, manifest: Manifest) -> Json:
    recorded = manifest.recorded
    peak = recorded.get("peak_memory_bytes")
    return {
        "stage": name,
        "key": manifest.recipe.key,
        "version": manifest.recipe.version,
        "seed": manifest.recipe.seed,
        "seconds": recorded.get("seconds"),
        "peak_mib": None if peak is None else round(peak / 2**20),
        "device": clean_text(str(recorded.get("device") or "")),
    }
