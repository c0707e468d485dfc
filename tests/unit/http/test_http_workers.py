"""The threads behind the event loop."""

import asyncio
import threading

import pytest

from ocs_http.workers import Overloaded, Workers


def fails() -> None:
    raise LookupError("nothing here")


def test_work_is_done_in_a_thread_and_its_result_or_error_comes_back():
    workers = Workers(threads=2, waiting=0)

    async def go() -> None:
        assert await workers.run(threading.get_ident) != threading.get_ident()
        assert await workers.run(int, "11", base=2) == 3
        with pytest.raises(LookupError, match="nothing here"):
            await workers.run(fails)

    asyncio.run(go())
    workers.close()


def test_more_than_is_allowed_to_wait_is_refused_and_room_comes_back():
    workers, go_on = Workers(threads=1, waiting=1), threading.Event()

    async def go() -> None:
        both = [workers.run(go_on.wait, 10) for _ in range(2)]
        with pytest.raises(Overloaded):
            workers.run(int)
        go_on.set()
        assert await asyncio.gather(*both) == [True, True]
        assert await workers.run(int) == 0

    asyncio.run(go())
    workers.close()


def test_work_that_is_given_up_while_it_waits_is_not_begun():
    workers, go_on, done = Workers(threads=1, waiting=5), threading.Event(), []

    async def go() -> None:
        first = workers.run(go_on.wait, 10)
        given_up = workers.run(done.append, "given up")
        given_up.cancel()
        kept = workers.run(done.append, "kept")
        go_on.set()
        await asyncio.gather(first, kept)

    asyncio.run(go())
    workers.close()
    assert done == ["kept"]


def test_a_loop_that_ended_meanwhile_does_not_end_the_thread():
    workers, go_on = Workers(threads=1, waiting=5), threading.Event()

    async def leave() -> None:
        workers.run(go_on.wait, 10)

    async def go() -> None:
        assert await workers.run(int) == 0

    asyncio.run(leave())
    go_on.set()
    asyncio.run(go())
    workers.close()


def test_closed_workers_end_their_threads_and_begin_again_when_needed():
    workers = Workers(threads=3, waiting=0)

    async def go() -> None:
        await workers.run(int)

    before = threading.active_count()
    asyncio.run(go())
    assert threading.active_count() == before + 3
    workers.close()
    assert threading.active_count() == before
    asyncio.run(go())
    workers.close()
