"""The one exception that a user is meant to see."""


class UserError(Exception):
    """A mistake that the user can mend: what happened, where, and how to mend it.

    The command line prints the three parts as three short lines and exits with status 2.
    Anything else that is raised is a defect of infact and keeps its traceback.

    Args:
        what: what happened, in one sentence.
        where: file, line, column or key; empty when there is no such place.
        fix: how to mend it; empty when only the user can know.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        super().__init__("\n".join(part for part in (what, where, fix) if part))
        self.what = what
        self.where = where
        self.fix = fix
