"""The boto3 sessions of this process that sign with a cloud's credentials."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["Sessions"]


class Sessions:
    """Makes boto3 sessions of one region; what costs most of one, models and handlers, is read once."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._emitter: Any = None

    def session(self, credentials: Credentials) -> boto3.Session:
        """Make a session that signs with `credentials`."""
        import boto3  # noqa: PLC0415 - with the first client
        import botocore.session  # noqa: PLC0415

        core = botocore.session.Session(event_hooks=self._events(), include_builtin_handlers=False)
        loader = _shared_loader()
        core.register_component("data_loader", loader)
        session = boto3.Session(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
            region_name=self._region,
            botocore_session=core,
        )
        # Each boto3 session adds its own folder once more.
        loader.search_paths[:] = dict.fromkeys(loader.search_paths)
        return session

    def _events(self) -> Any:
        """Give botocore's own handlers of events; registering them is most of what a session would cost."""
        import botocore.session  # noqa: PLC0415 - as above
        from botocore.hooks import HierarchicalEmitter  # noqa: PLC0415 - as above

        if self._emitter is None:
            emitter = HierarchicalEmitter()
            botocore.session.Session(event_hooks=emitter)
            self._emitter = emitter
        return copy(self._emitter)


@cache
def _shared_loader() -> Any:
    """One loader of service models for all sessions: reading them is most of what making a client costs."""
    import botocore.loaders  # noqa: PLC0415 - as above

    loader: Any = botocore.loaders.create_loader()
    # Each client asks for the table of endpoints, which botocore would read from its file every time.
    loader.load_data_with_path = cache(loader.load_data_with_path)
    return loader
