import asyncio
import gc
import weakref

import pytest

from core.background import Background


@pytest.fixture
async def background():
    background = Background("slack")
    yield background
    await background.stop(patience=0)


async def test_work_goes_on_by_itself_and_can_be_waited_for(background):
    done = []

    async def work():
        await asyncio.sleep(0)
        done.append("one")
        background.run(more())

    async def more():
        await asyncio.sleep(0)
        done.append("another")

    background.run(work())
    assert done == []
    await background.settled()
    assert done == ["one", "another"]


async def test_work_that_nobody_else_holds_does_not_vanish(background):
    done, seen = [], []

    async def work():
        waited_for = asyncio.get_running_loop().create_future()
        seen.append(weakref.ref(waited_for))
        await waited_for
        done.append("here")

    background.run(work())
    await asyncio.sleep(0)
    gc.collect()
    seen[0]().set_result(None)
    await background.settled()
    assert done == ["here"]


@pytest.mark.parametrize("lasting", [True, False])
async def test_a_failure_is_logged_with_its_traceback_and_where_it_was(background, caplog, lasting):
    async def broken():
        raise ZeroDivisionError

    background.run(broken(), lasting=lasting)
    await asyncio.sleep(0)
    await background.settled()
    await background.stop()
    assert [record.getMessage() for record in caplog.records] == ["something failed on slack"]
    assert "Traceback" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_stopping_lets_work_finish_and_ends_what_would_last(background):
    ended = []

    async def work():
        await asyncio.sleep(0.01)
        ended.append("finished")

    async def watch():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    background.run(work())
    background.run(watch(), lasting=True)
    await asyncio.sleep(0)
    await background.stop()
    assert ended == ["cancelled", "finished"]


async def test_work_that_takes_longer_than_our_patience_is_cancelled_without_a_word(background, caplog):
    ended = []

    async def slow():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cut short")

    background.run(slow())
    await asyncio.sleep(0)
    await background.stop(patience=0.01)
    assert ended == ["cut short"]
    assert caplog.records == []


async def test_what_is_done_is_not_kept(background):
    async def work():
        pass

    background.run(work())
    background.run(work(), lasting=True)
    await asyncio.sleep(0.01)
    assert not background._tasks
    assert not background._lasting
