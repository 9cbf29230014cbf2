"""When an interrupt raises: at once only where it is welcome, or the second time."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import pytest

from lrtune._util.interrupts import Interrupts

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def send(number):
    os.kill(os.getpid(), number)


@SIGNALS
def test_the_first_waits_until_it_is_welcome(number):
    done = []
    with Interrupts() as interrupts:
        send(number)
        done.append("written")
        with pytest.raises(KeyboardInterrupt), interrupts.welcome():
            done.append("never")
    assert done == ["written"]


@SIGNALS
def test_where_it_is_welcome_it_raises_at_once(number):
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.welcome():  # noqa: PT012
        send(number)
        pytest.fail("went on")


def test_deferred_it_raises_at_the_end_of_what_must_not_be_torn():
    done = []
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.welcome():  # noqa: PT012
        with interrupts.deferred():
            send(signal.SIGINT)
            done.append("written")
        pytest.fail("went on")
    assert done == ["written"]


def test_the_second_waits_for_nothing():
    with Interrupts():
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


@SIGNALS
def test_handlers_are_as_they_were_afterwards(number):
    before = signal.getsignal(number)
    with Interrupts():
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


def test_a_handler_of_the_users_is_left_alone():
    caught = []
    before = signal.signal(signal.SIGTERM, lambda *_: caught.append("theirs"))
    try:
        with Interrupts() as interrupts, interrupts.welcome():
            send(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught == ["theirs"]


def test_outside_of_the_main_thread_nothing_is_changed():
    found = []

    def enter():
        with Interrupts():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def test_an_interrupt_that_became_another_error_on_its_way_is_one_still():
    # TensorFlow has turned it into a SystemError, which a trainer takes for a failed trial.
    lost = contextlib.suppress(KeyboardInterrupt)
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.welcome(), lost:
        send(signal.SIGINT)
