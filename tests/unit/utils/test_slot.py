"""Latest-value slot: newest wins, drops are counted, no thread waits forever."""

import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait

import pytest

from realtime_pose.utils.slot import LatestSlot, SlotClosed

PATIENCE_S = 20.0  # bounds a test that hangs; a passing one never waits it out


def in_thread(call):
    """Start `call` in its own thread and return its outcome as a Future."""
    outcome = Future()

    def run():
        try:
            outcome.set_result(call())
        except BaseException as exc:  # noqa: BLE001 - handed to the test
            outcome.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return outcome


class WatchedSlot(LatestSlot):
    """Signals when a thread is about to wait, which is when it releases the condition's lock."""

    def __init__(self):
        super().__init__()
        self.waiters = threading.Semaphore(0)
        wait_for = self._changed.wait_for

        def watched(predicate, timeout=None):
            self.waiters.release()
            return wait_for(predicate, timeout)

        self._changed.wait_for = watched


def await_waiter(slot):
    """Return when one more thread waits: it signalled under the lock, so the next owner finds it waiting."""
    assert slot.waiters.acquire(timeout=PATIENCE_S)


def test_the_newest_item_wins_and_drops_are_counted():
    slot = LatestSlot()
    for item in range(5):
        slot.put(item)
    assert slot.get(0) == 4
    assert slot.dropped == 4
    slot.put("next")
    assert slot.get(0) == "next"
    assert slot.dropped == 4


def test_an_item_is_taken_once():
    slot = LatestSlot()
    slot.put("only")
    assert slot.get(0) == "only"
    assert slot.get(0) is None


def test_false_items_are_items():
    slot = LatestSlot()
    slot.put(0)
    slot.put(False)
    assert slot.dropped == 1
    assert slot.get(0) is False


def test_a_waiting_thread_gets_a_later_item():
    slot = WatchedSlot()
    got = in_thread(slot.get)
    await_waiter(slot)
    assert not got.done()
    slot.put("late")
    assert got.result(PATIENCE_S) == "late"
    assert slot.dropped == 0


def test_two_waiting_threads_get_one_item_each():
    slot = WatchedSlot()
    got = [in_thread(slot.get) for _ in range(2)]
    for _ in got:
        await_waiter(slot)
    slot.put("first")
    assert wait(got, PATIENCE_S, FIRST_COMPLETED).done
    slot.put("second")
    assert {future.result(PATIENCE_S) for future in got} == {"first", "second"}


def test_closing_wakes_all_waiting_threads():
    slot = WatchedSlot()
    got = [in_thread(slot.get) for _ in range(3)]
    for _ in got:
        await_waiter(slot)
    slot.close()
    for future in got:
        with pytest.raises(SlotClosed):
            future.result(PATIENCE_S)


def test_an_item_in_a_closed_slot_can_still_be_taken():
    slot = LatestSlot()
    slot.put("last")
    slot.close()
    slot.close()  # safe to repeat
    assert in_thread(slot.get).result(PATIENCE_S) == "last"
    with pytest.raises(SlotClosed):
        in_thread(slot.get).result(PATIENCE_S)
    with pytest.raises(SlotClosed):
        slot.get(0)


def test_nothing_is_put_into_a_closed_slot():
    slot = LatestSlot()
    slot.put("last")
    slot.close()
    with pytest.raises(SlotClosed):
        slot.put("too late")
    assert slot.dropped == 0
    assert slot.get(0) == "last"


def test_between_two_threads_every_item_is_taken_or_counted_and_order_holds():
    slot, count = LatestSlot(), 5000

    def put_all():
        for item in range(count):
            slot.put(item)
        slot.close()

    def take_all():
        taken = []
        while True:
            try:
                taken.append(slot.get(PATIENCE_S))
            except SlotClosed:
                return taken

    taken = in_thread(take_all)
    in_thread(put_all).result(PATIENCE_S)
    items = taken.result(PATIENCE_S)
    assert items == sorted(items)
    assert items[-1] == count - 1
    assert len(items) + slot.dropped == count
