"""Text encoders that commands name without a project: where one lies, and what its vectors follow from."""

from pathlib import Path

from ..errors import UserError
from .artifacts import digest_of, file_digest
from .project import resolve_path

READ = (".json", ".safetensors", ".txt", ".model")  # of an encoder's folder


def encoder_folder(spec: str, option: str) -> Path:
    """The folder that `spec` names: a path from the current one, or `package:<module>/<folder>`.

    Args:
        option: by which it was named.

    Raises:
        UserError: there is none, or the package isn't installed.
    """
    folder = resolve_path(spec, Path.cwd() / option)
    if not folder.is_dir():
        fix = "name a folder with config.json and model.safetensors"
        raise UserError("the encoder is no folder", str(folder), fix)
    return folder


def encoder_digest(folder: Path) -> str:
    """Of the files that an encoder is read from."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix in READ]
    return digest_of({path.name: file_digest(path) for path in files})
