"""Who keeps up gets a frame at once, who is behind gets it from a queue, and the order is the same for both."""

import asyncio

from mqttbridge.dashboard.framequeue import MAX_QUEUED, FrameQueue, broadcast


class Connection:
    """What a server's connection is to a queue: takes chunks while it is not paused."""

    def __init__(self) -> None:
        self.sent = b""
        self.paused = False

    def write(self, chunk: bytes) -> bool:
        if not self.paused:
            self.sent += chunk
        return not self.paused


def resync() -> bytes:
    return b"resync"


def connected() -> tuple[FrameQueue, Connection]:
    queue, connection = FrameQueue(), Connection()
    queue.write = connection.write
    return queue, connection


def test_a_frame_goes_as_a_chunk_to_who_waits_for_it_and_wakes_nobody():
    async def scene() -> None:
        queue, connection = connected()
        task = asyncio.create_task(queue.next(60))
        await asyncio.sleep(0)

        assert broadcast([queue], b"0123456789abcdef", resync) == 0
        await asyncio.sleep(0)

        assert connection.sent == b"10\r\n0123456789abcdef\r\n"
        assert not task.done()
        task.cancel()

    asyncio.run(scene())


def test_what_comes_while_the_task_is_about_to_send_waits_behind_it():
    async def scene() -> None:
        queue, connection = connected()
        task = asyncio.create_task(queue.next(60))
        await asyncio.sleep(0)
        connection.paused = True

        assert broadcast([queue], b"1", resync) == 1
        connection.paused = False
        assert broadcast([queue], b"2", resync) == 1
        sent_by_task = await task
        assert broadcast([queue], b"3", resync) == 1  # the task has not sent yet what it took

        assert sent_by_task + await queue.next(60) == b"123"
        assert connection.sent == b""

    asyncio.run(scene())


def test_without_a_connection_that_takes_chunks_the_task_has_every_frame():
    queue = FrameQueue()

    assert [broadcast([queue], frame, resync) for frame in (b"1", b"2")] == [1, 1]
    assert list(queue.frames) == [b"1", b"2"]


def test_who_is_too_far_behind_gets_something_instead_of_all_that_waits():
    queue, connection = connected()
    connection.paused = True
    for _ in range(MAX_QUEUED):
        broadcast([queue], b"frame", resync)

    broadcast([queue], b"one too many", resync)

    assert list(queue.frames) == [b"resync"]
