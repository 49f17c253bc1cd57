"""The SPARQL endpoints among a project's sources: fetched once, then kept and read like files.

    ARTIFACTS/fetched/<key>/statements.nt    (.nq where graphs are named)

The key is of address and graphs. The graph follows from the kept bytes, so nothing asks the network
again until `infact ingest --refetch` does.
"""

import os
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import UserError
from .artifacts import digest_of, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from ..kg.readers.sparql_http import Address
    from .console import Console
    from .fetch_endpoint import Wanted
    from .project import Project
    from .settings.sources import SourceTable
    from .stages import Stage


class NotFetchedError(UserError):
    """An endpoint has to be asked first, and may be."""


def source_spec(source: "SourceTable") -> str:
    """What a source is called among the files that stages read: its path, or endpoint and graphs.

    What may be secret in an endpoint's address isn't in it.
    """
    if not source.endpoint:
        return source.path
    from ..kg.readers.sparql_http import address

    at = address(source.endpoint)
    told_apart = [] if at.url == at.shown else [digest_of(at.url)[:8]]
    return " ".join([at.shown, *told_apart, *(f"<{graph}>" for graph in source.graphs)])


def endpoints(project: "Project") -> dict[str, "SourceTable"]:
    """The project's endpoints by their specs."""
    return {source_spec(source): source for source in project.source if source.endpoint}


def kept_file(project: "Project", source: "SourceTable") -> "Path":
    """What was fetched of an endpoint.

    Raises:
        NotFetchedError: nothing yet.
        UserError: nothing yet, and the network isn't allowed.
    """
    wanted = _wanted(source)
    if _is_kept(project, wanted):
        return wanted.recipe.folder(project.artifacts_folder) / wanted.file_name
    _check_allowed(project, wanted)
    fix = "`infact ingest` fetches it"
    raise NotFetchedError(f"{wanted.at.shown} wasn't fetched yet", str(project.file), fix)


def fetch_endpoints(
    project: "Project", stages: Collection["Stage"], console: "Console", again: bool
) -> None:
    """Fetch what the stages read of endpoints and isn't kept yet.

    Args:
        again: also what is kept.

    Raises:
        UserError: the network isn't allowed, an endpoint can't be read, or there is none to ask again.
    """
    from .fetch_endpoint import fetch_and_keep

    read = {spec for stage in stages for spec in stage.files(project)}
    asked = [_wanted(source) for spec, source in endpoints(project).items() if spec in read]
    if again and not asked:
        where = str(project.file)
        raise UserError("no source is an endpoint", where, "leave --refetch out")
    for wanted in asked:
        if again or not _is_kept(project, wanted):
            _check_allowed(project, wanted)
            known = replace(wanted, at=_with_login(wanted.at))
            fetch_and_keep(known, project.artifacts_folder, console)


def _wanted(source: "SourceTable") -> "Wanted":
    from ..kg.readers.sparql_endpoint import graph_names
    from ..kg.readers.sparql_http import address
    from .fetch_endpoint import Wanted

    option = "`graphs` of that [[source]]"
    return Wanted(address(source.endpoint), graph_names(source.graphs), option)


def _is_kept(project: "Project", wanted: "Wanted") -> bool:
    return read_manifest(wanted.recipe.folder(project.artifacts_folder)) is not None


def _check_allowed(project: "Project", wanted: "Wanted") -> None:
    if not project.project.allow_network:
        what = f"{wanted.at.shown} has to be fetched, and the network is not allowed"
        raise UserError(
            what, f"{project.file.name}:source", "set allow_network = true in [project]"
        )


def _with_login(at: "Address") -> "Address":
    """The address with user and password that the environment has for its server, and for no other."""
    from ..kg.readers.sparql_http import address
    from .settings.sources import LOGIN

    how = f"{LOGIN}=https://user:password@host/"
    for text in os.environ.get(LOGIN, "").split():
        try:
            login = address(text)
        except UserError as error:
            raise UserError(error.what, LOGIN, f"set {how}") from None
        if urlsplit(login.url)[:2] == urlsplit(at.url)[:2]:
            return replace(at, authorization=login.authorization, login=f"look at {LOGIN}")
    return replace(at, login=f"set {how}")
