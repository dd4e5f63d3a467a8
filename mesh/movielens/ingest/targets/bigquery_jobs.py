"""Jobs that are started once, however often they are asked for.

A job's id is made of what it does. Whoever asks again, after a connection was lost or in a new
process, finds the job that is there and waits for it instead of starting a second one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh.movielens.ingest.progress import Observer, Step

if TYPE_CHECKING:
    from google.cloud import bigquery

# How long a request is sent again before the network is taken to be gone.
PATIENCE_SECONDS = 60.0
# An upload is one request of many minutes: it is begun again so many times, after a pause.
TRIES = 3
PAUSE_SECONDS = 2.0
POLL_SECONDS = 0.5
# After so many failures under one id something is wrong that trying again does not mend.
MOST_ATTEMPTS = 50

Start = Callable[[str], Any]


@dataclass(frozen=True)
class Jobs:
    """Starts jobs on a client and follows them. observer: is told which one is waited for."""

    client: bigquery.Client
    observer: Observer

    def start(self, name: str, begin: Start, still_good: Callable[[Any], bool]) -> Any:
        """The job of that name: the one that runs or is done, else a new one.

        begin: starts it under the id it is given. still_good: whether a job that was done before
        still counts, that is, whether what it made is still there.
        """
        for attempt in range(MOST_ATTEMPTS):
            job, found = self._start_or_find(f"{name}-{attempt}", begin)
            # Ids are taken for good: a job that failed before, or whose result is gone by now,
            # needs the next id. One that was started just now counts, whatever became of it.
            if not found or job.state != "DONE" or (not job.error_result and still_good(job)):
                return job
        raise RuntimeError(f"{name}: {MOST_ATTEMPTS} jobs of this name are of no use")

    def _start_or_find(self, job_id: str, begin: Start) -> tuple[Any, bool]:
        """The job, and whether it was there before."""
        from google.api_core.exceptions import Conflict

        def start() -> tuple[Any, bool]:
            try:
                return begin(job_id), False
            except Conflict:
                return self.find(job_id), True

        return _persistent(start)

    def find(self, job_id: str) -> Any:
        """A job that was started before, by its id."""
        return self.client.get_job(job_id, location=self.client.location, retry=patient())

    def wait(self, job: Any, what: str) -> Any:
        """Until the job is done. Raises its error."""
        self.observer(Step(what, 0.0))
        while job.state != "DONE":
            time.sleep(POLL_SECONDS)
            job.reload(retry=patient())
        job.result(retry=patient())
        self.observer(Step(what, 1.0))
        return job


def patient() -> Any:
    """How the client tries again: what it would do anyway, but not for ten minutes."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(PATIENCE_SECONDS)


def _persistent(work: Callable[[], Any]) -> Any:
    """The result of `work`, which is tried again when the connection is lost."""
    for attempt in range(TRIES):
        try:
            return work()
        except Exception as error:
            if attempt == TRIES - 1 or not _lost(error):
                raise
            time.sleep(PAUSE_SECONDS * 2**attempt)
    raise AssertionError("unreachable")


def _lost(error: Exception) -> bool:
    """Whether nobody knows if the request arrived."""
    import requests
    from google.api_core import exceptions as google
    from google.auth.exceptions import TransportError

    lost = (
        requests.ConnectionError,
        requests.Timeout,
        ConnectionError,
        TransportError,
        google.ServerError,
        google.RetryError,
    )
    return isinstance(error, lost)
