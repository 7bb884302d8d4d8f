"""What a drill is at, while somebody watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pytest_stsguard.drill import Step

__all__ = ["Progress"]


class Progress:
    """Shows on stderr what is going on, while it goes on; silent where nobody watches."""

    def __init__(self, title: str) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._title = title
        self._status = self._console.status(title) if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def step(self, step: Step) -> None:
        """Show one step as it happens."""
        if self._status is not None:
            self._status.update(f"{self._title}: {step.action}")
