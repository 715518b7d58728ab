"""The feed: clients get the newest frame once they have drawn earlier ones, and the latest event."""

import asyncio
import json
import struct
import threading

import pytest
from support.people import make_person, make_result

from realtime_pose.interface.dashboard.engine import feed as feed_module
from realtime_pose.interface.dashboard.engine.feed import IN_FLIGHT, Feed

PATIENCE_S = 20.0


def publish(feed, index=0, run=1):
    feed.publish(make_result([make_person()], index=index, time_ns=index * 1_000_000_000), run=run, mirror=False)


def header_of(message):
    assert isinstance(message, bytes)
    return json.loads(message[4 : 4 + struct.unpack_from("<I", message)[0]])


async def next_header(watch):
    return header_of(await asyncio.wait_for(watch.next(), PATIENCE_S))


async def nothing_comes(watch):
    """True if `next` waits once everything that can run has run."""
    task = asyncio.ensure_future(watch.next())
    for _ in range(10):
        await asyncio.sleep(0)
    waits = not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return waits


def test_no_message_is_made_without_clients(monkeypatch):
    monkeypatch.setattr(feed_module, "frame_message", lambda *_, **__: pytest.fail("made"))
    feed = Feed()
    publish(feed)
    assert feed.watchers == 0


def test_a_frame_is_encoded_once_for_all_clients(monkeypatch):
    made = []
    real = feed_module.frame_message
    monkeypatch.setattr(feed_module, "frame_message", lambda *a, **k: made.append(1) or real(*a, **k))

    async def watching():
        feed = Feed()
        with feed.watch() as one, feed.watch() as other:
            assert feed.watchers == 2
            publish(feed)
            assert await one.next() is await other.next()
        assert feed.watchers == 0
        assert len(made) == 1

    asyncio.run(watching())


def test_a_late_client_gets_the_last_frame_and_the_last_event():
    async def watching():
        feed = Feed()
        feed.announce({"type": "state", "phase": "opening"})
        feed.announce({"type": "state", "phase": "paused"})
        publish(feed, 4)
        publish(feed, 5, run=9)
        with feed.watch() as watch:
            await watch.encode_latest()
            assert json.loads(await watch.next())["phase"] == "paused"
            header = await next_header(watch)
            assert (header["time_s"], header["run"]) == (5, 9)
            assert await nothing_comes(watch)

    asyncio.run(watching())


def test_only_a_few_frames_are_in_flight_and_the_newest_wins():
    async def watching():
        feed = Feed()
        with feed.watch() as watch:
            sent = []
            for index in range(IN_FLIGHT):
                publish(feed, index)
                sent.append((await next_header(watch))["seq"])
            publish(feed, 7)
            publish(feed, 8)
            assert await nothing_comes(watch)
            watch.ack(999)  # never sent
            assert await nothing_comes(watch)
            watch.ack(sent[1])  # in any order
            assert (await next_header(watch))["time_s"] == 8
            watch.ack(sent[1])  # acknowledged twice it counts once
            publish(feed, 9)
            assert await nothing_comes(watch)

    asyncio.run(watching())


def test_words_are_not_held_up_by_frames():
    async def watching():
        feed = Feed()
        with feed.watch() as watch:
            for index in range(IN_FLIGHT + 1):
                publish(feed, index)
                if index < IN_FLIGHT:
                    await watch.next()
            feed.announce({"type": "state", "phase": "idle"})
            assert json.loads(await watch.next())["phase"] == "idle"

    asyncio.run(watching())


def test_another_thread_wakes_who_waits():
    async def watching():
        feed = Feed()
        with feed.watch() as watch:
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)
            thread = threading.Thread(target=publish, args=(feed, 3))
            thread.start()
            assert header_of(await asyncio.wait_for(waiting, PATIENCE_S))["time_s"] == 3
            thread.join()

    asyncio.run(watching())


def test_ended_event_loops_do_not_block():
    feed = Feed()
    loop = asyncio.new_event_loop()

    async def enter():
        left.enter_context(feed.watch())

    import contextlib

    with contextlib.ExitStack() as left:
        loop.run_until_complete(enter())
        loop.close()
        publish(feed)
        feed.announce({"type": "state"})
    assert feed.watchers == 0


def test_words_are_words_that_a_browser_reads():
    with pytest.raises(ValueError, match="JSON"):
        Feed().announce({"type": "state", "fps": float("nan")})
