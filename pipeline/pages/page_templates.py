"""The pages' templates: everything that they write is escaped, and a name they don't know is an error."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent


def page_templates(filters: Iterable[Callable[..., Any]]) -> Environment:
    """The templates of this folder, with functions that they may use as filters, each by its name."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({function.__name__: function for function in filters})
    return environment


def page_file(name: str) -> str:
    """A style or script that a page holds within itself."""
    return (FOLDER / name).read_text(encoding="utf-8")
