"""Where ``stsguard``, ``stsguard-templates`` and ``python -m pytest_stsguard`` begin: interrupted this early, too, without a traceback."""

from __future__ import annotations

import sys

__all__ = ["main", "templates"]

_INTERRUPTED = 130


def main() -> None:
    """Run ``stsguard``."""
    try:
        from pytest_stsguard.cli import main as command  # noqa: PLC0415 - what takes a while is interrupted in here
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    command()


def templates() -> None:
    """Run ``stsguard-templates``, the entry for pre-commit."""
    try:
        from pytest_stsguard.cli import main_templates as command  # noqa: PLC0415 - as above
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    command()


if __name__ == "__main__":
    main()
