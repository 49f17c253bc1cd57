"""`python -m infact`, which is the command of that name: what launchers of several processes start."""

from .pipeline.cli import main

if __name__ == "__main__":
    main()
