"""Requests that come while one transaction is synced share the next one."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mqttbridge.dashboard.commit import GroupCommit
from mqttbridge.errors import SpoolFull
from mqttbridge.events import Batch, Reason, Rejected


class Disk:
    """Takes groups one at a time, when it is let."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.rejected: list[Rejected] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.fault: Exception | None = None

    def append(self, batches, rejected) -> None:
        self.entered.release()
        self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        self.groups.append([batch.events[0][1] for batch in batches])
        self.rejected += rejected


@pytest.fixture
def disk():
    return Disk()


def run(disk, scenario):
    async def main():
        with ThreadPoolExecutor(1) as executor:
            return await asyncio.wait_for(scenario(GroupCommit(disk.append, executor)), 20)

    return asyncio.run(main())


def batch(name):
    return Batch([("b", name, 1, 1.0)])


async def entered(disk):
    await asyncio.to_thread(disk.entered.acquire)


def test_pushes_that_wait_for_one_commit_share_the_next(disk):
    async def scenario(commit):
        disk.gate.clear()
        first = asyncio.create_task(commit.push(batch("first")))
        await entered(disk)
        others = [asyncio.create_task(commit.push(batch(f"{n}"))) for n in range(100)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in [first, *others])
        disk.gate.set()
        await asyncio.gather(first, *others)

    run(disk, scenario)

    assert disk.groups == [["first"], [f"{n}" for n in range(100)]]


def test_a_commit_that_fails_fails_each_push_in_it_and_no_later_one(disk):
    async def scenario(commit):
        disk.fault = SpoolFull("full")
        failed = await asyncio.gather(*(commit.push(batch("x")) for _ in range(3)), return_exceptions=True)
        disk.fault = None
        await commit.push(batch("later"))
        return failed

    failed = run(disk, scenario)

    assert [type(error) for error in failed] == [SpoolFull] * 3
    assert disk.groups == [["later"]]


def test_a_push_whose_request_is_gone_is_committed_all_the_same(disk):
    async def scenario(commit):
        disk.gate.clear()
        gone = asyncio.create_task(commit.push(batch("gone")))
        await entered(disk)
        gone.cancel()
        disk.gate.set()
        await commit.push(batch("next"))

    run(disk, scenario)

    assert disk.groups == [["gone"], ["next"]]


def test_rejected_events_go_along_even_alone(disk):
    rejected = Rejected(Reason.NOT_FINITE, "nan", "b/s", b"{}")

    run(disk, lambda commit: commit.push(None, [rejected]))

    assert disk.rejected == [rejected]
    assert disk.groups == [[]]
