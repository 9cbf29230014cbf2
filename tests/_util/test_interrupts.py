"""When an interrupt raises: where it is welcome, or anywhere the second time."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import pytest

from lrtune._util.interrupts import Interrupts, raised_by_signal

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


@pytest.fixture(autouse=True)
def default_handlers():
    """Python's own handlers: a shell that starts pytest in the background has SIGINT ignored."""
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number):
    os.kill(os.getpid(), number)


@SIGNALS
def test_the_first_interrupt_waits_until_it_is_welcome(number):
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:  # noqa: PT012
        send(number)
        done.append("written")
        with interrupts.welcome():
            done.append("never")
    assert done == ["written"]


@SIGNALS
def test_an_interrupt_raises_at_once_where_it_is_welcome(number):
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts, interrupts.welcome():  # noqa: PT012
        send(number)
        pytest.fail("went on")


def test_a_deferred_interrupt_raises_at_the_end_of_the_deferred_block():
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts, interrupts.welcome():  # noqa: PT012
        with interrupts.deferred():
            send(signal.SIGINT)
            done.append("written")
        pytest.fail("went on")
    assert done == ["written"]


def test_the_second_interrupt_raises_anywhere():
    with pytest.raises(KeyboardInterrupt), Interrupts():  # noqa: PT012
        send(signal.SIGTERM)
        send(signal.SIGINT)
        pytest.fail("went on")


@SIGNALS
def test_an_interrupt_after_the_last_welcome_block_raises_when_all_is_written(number):
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:  # noqa: PT012
        with interrupts.welcome():
            done.append("trained")
        send(number)
        done.append("written")
    assert done == ["trained", "written"]


def test_an_error_on_the_way_out_is_not_replaced_by_an_interrupt():
    with pytest.raises(OSError, match="disk full"), Interrupts():  # noqa: PT012
        send(signal.SIGINT)
        raise OSError("disk full")


@SIGNALS
def test_the_handlers_are_restored_afterwards(number):
    before = signal.getsignal(number)
    with Interrupts():
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


def test_a_handler_set_by_the_user_is_left_alone():
    caught = []
    before = signal.signal(signal.SIGTERM, lambda *_: caught.append("theirs"))
    try:
        with Interrupts() as interrupts, interrupts.welcome():
            send(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught == ["theirs"]


def test_no_handler_changes_outside_the_main_thread():
    found = []

    def enter():
        with Interrupts():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def test_a_swallowed_interrupt_raises_at_the_end():
    # TensorFlow has turned it into a SystemError, which a trainer takes for a failed trial.
    lost = contextlib.suppress(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts, interrupts.welcome(), lost:
        send(signal.SIGINT)


def own(error):
    """Raises an error as a model does."""
    raise error


def caught(act, argument):
    """The exception that comes out of a call."""
    with pytest.raises(BaseException) as error:  # noqa: PT011 - it is the result
        act(argument)
    return error.value


@SIGNALS
def test_an_interrupt_is_told_from_a_keyboard_interrupt_that_the_model_raises(number):
    with contextlib.suppress(KeyboardInterrupt), Interrupts() as interrupts, interrupts.welcome():
        assert not raised_by_signal(caught(own, KeyboardInterrupt()))
        assert raised_by_signal(caught(send, number))


def test_an_exit_in_a_handler_of_the_users_comes_from_a_signal():
    def end(*_):
        raise SystemExit(3)

    before = signal.signal(signal.SIGTERM, end)
    try:
        assert raised_by_signal(caught(send, signal.SIGTERM))
        assert not raised_by_signal(caught(own, SystemExit(3)))
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_search_started_with_nohup_ignores_the_end_of_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts, interrupts.welcome():
            send(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@SIGNALS
def test_entered_again_inside_itself_it_still_waits_after_the_inner_one(number):
    before = signal.getsignal(number)
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:  # noqa: PT012
        with interrupts:
            done.append("inner")
        send(number)
        done.append("outer")
    assert done == ["inner", "outer"]
    assert signal.getsignal(number) == before
