"""Eight threads call for a minute, allowed and denied, while a revocation lands: what must hold then, and memory.

    python benchmarks/gate_load.py [SECONDS] [THREADS]

After the revocation no call of the stolen session is allowed, no call of the fresh one is denied; every call has its record;
the process does not grow any more when the trail is full. Exits with 1 when one of these fails.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_stsguard.cloud import DEMO, Cloud

if TYPE_CHECKING:
    from collections.abc import Callable

DENY = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}


@dataclass
class Tally:
    """What the calls of one session came to, before and after the revocation."""

    allowed: list[int] = field(default_factory=lambda: [0, 0])
    denied: list[int] = field(default_factory=lambda: [0, 0])
    strange: list[str] = field(default_factory=list)


# Calls after which the trail keeps older records in a file, and what a call may then leave behind in memory: this
# benchmark itself keeps the request id of each.
FULL, BYTES_A_CALL = 11_000, 400


def held_kb() -> int:
    """Give the resident size of this process in kilobytes, after a collection."""
    gc.collect()
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def calls_of(session: Any) -> list[Callable[[], Any]]:
    """Calls that the instance role may make, over three protocols."""
    s3, ec2, dynamodb = (session.client(service) for service in ("s3", "ec2", "dynamodb"))
    return [s3.list_buckets, ec2.describe_vpcs, dynamodb.list_tables]


class Load:
    """A demo world under load: a stolen session, a fresh one, and one that may do nothing."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.revoked = threading.Event()
        self.stop = threading.Event()
        self.tallies = {"stolen": Tally(), "fresh": Tally(), "nobody": Tally()}
        self.lock = threading.Lock()
        self.sessions = {"stolen": self._instance_session(), "nobody": self._nobody()}
        self.request_ids: list[str] = []
        self.settled: tuple[int, int] | None = None

    @property
    def count(self) -> int:
        """How many calls were answered."""
        return len(self.request_ids)

    def _instance_session(self) -> Any:
        held = self.cloud.instance("A").credentials("2.0")
        answer = {"AccessKeyId": held.access_key_id, "SecretAccessKey": held.secret_access_key, "Token": held.token}
        return self.cloud.credentials_of(answer).session()

    def _nobody(self) -> Any:
        self.cloud.client("iam").create_user(UserName="nobody")
        return self.cloud.user_credentials("nobody").session()

    def revoke(self) -> None:
        """Revoke older sessions, as the console does; calls that begin from now on are counted as after it."""
        cutoff = self.cloud.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        statement = {**DENY, "Condition": {"DateLessThan": {"aws:TokenIssueTime": cutoff}}}
        self.cloud.client("iam").put_role_policy(
            RoleName=DEMO.instance_role,
            PolicyName="AWSRevokeOlderSessions",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        self.cloud.clock.advance(2)
        self.cloud.instance("A").renew()
        self.sessions["fresh"] = self._instance_session()
        self.revoked.set()

    def work(self, calls: int | None = None) -> None:
        """Call in turn with every session that there is, until the stop or for so many calls."""
        made: dict[str, list[Callable[[], Any]]] = {}
        turn = 0
        while not self.stop.is_set() and (calls is None or turn < calls):
            after = self.revoked.is_set()
            who = ("stolen", "nobody", "fresh" if after else "stolen")[turn % 3]
            if who not in made:
                with self.lock:
                    made[who] = calls_of(self.sessions[who])
            call = made[who][turn // 3 % 3]
            self._count(who, call, after=after)
            turn += 1

    def _count(self, who: str, call: Callable[[], Any], *, after: bool) -> None:
        tally, refused = self.tallies[who], None
        try:
            answer = call()
        except ClientError as error:
            answer = error.response
            refused = answer["Error"]["Code"]
        with self.lock:
            # moto writes an id of its own into the bodies of EC2, where boto3 looks first.
            headers = answer["ResponseMetadata"]["HTTPHeaders"]
            self.request_ids.append(headers.get("x-amzn-requestid") or headers["x-amz-request-id"])
            if refused is None:
                tally.allowed[after] += 1
            elif refused in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}:
                tally.denied[after] += 1
            else:
                tally.strange.append(refused)

    def settle(self, seconds: float) -> None:
        """Wait, and note the size of the process when the trail holds nothing but calls after the revocation."""
        end, full = time.monotonic() + seconds, self.count + FULL
        while time.monotonic() < end:
            time.sleep(0.1)
            if self.settled is None and self.count >= full:
                self.settled = (self.count, held_kb())

    def failures(self) -> list[str]:
        """Name what does not hold.

        A stolen call that began before the revocation may meet it, and be denied: those are no failure.
        """
        stolen, fresh, nobody = (self.tallies[who] for who in ("stolen", "fresh", "nobody"))
        found = {
            "stolen calls were allowed after the revocation": stolen.allowed[1],
            "fresh calls were denied": sum(fresh.denied),
            "calls of nobody were allowed": sum(nobody.allowed),
            "other errors came": sum(len(each.strange) for each in self.tallies.values()),
            "records were lost": len(
                set(self.request_ids) - {record["requestID"] for record in self.cloud.trail.records()}
            ),
            "nothing was tried before or after the revocation": int(
                not (stolen.allowed[0] and stolen.denied[1] and fresh.allowed[1])
            ),
        }
        return [f"{wrong} {text}" for text, wrong in found.items() if wrong]


def run(cloud: Cloud, *, threads: int, seconds: float | None = None, calls: int | None = None) -> Load:
    """Load a cloud for so many seconds, or with so many calls a thread; the revocation lands in the middle."""
    load = Load(cloud)
    workers = [threading.Thread(target=load.work, args=(calls,)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    if seconds is None:
        while load.count < threads * (calls or 0) // 3:
            time.sleep(0.01)
    else:
        time.sleep(seconds / 2)
    load.revoke()
    if seconds is not None:
        load.settle(seconds / 2)
        load.stop.set()
    for worker in workers:
        worker.join()
    return load


def main(seconds: float, threads: int) -> int:
    """Print the tallies; 1 when something does not hold."""
    with Cloud() as cloud:
        run(cloud, threads=threads, calls=60)
    with Cloud() as cloud:
        started = time.process_time()
        load = run(cloud, threads=threads, seconds=seconds)
        used = time.process_time() - started
        size_then = held_kb()
        for who, tally in load.tallies.items():
            print(
                f"{who:8} allowed {tally.allowed[0]:6} {tally.allowed[1]:6}   denied {tally.denied[0]:6} {tally.denied[1]:6}"
            )
        print(f"{load.count} calls in {threads} threads, {used / load.count * 1e6:.0f} us of processor time a call")
        failures = load.failures()
        if load.settled is None:
            print("memory: too few calls to tell")
        else:
            calls, size = load.settled
            grown = size_then - size
            print(f"memory: {size} KB after {calls} calls, {grown:+} KB after {load.count}")
            if grown * 1024 > (load.count - calls) * BYTES_A_CALL:
                failures.append(f"memory grew by {grown} KB")
    for each in failures:
        print(f"FAILED: {each}")
    return 1 if failures else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(float(arguments[0]) if arguments else 60, int(arguments[1]) if len(arguments) > 1 else 8))
