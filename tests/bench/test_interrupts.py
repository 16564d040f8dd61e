"""Ctrl-C in programs other than the command line."""

import signal
import threading

import pytest

from edge_bench.bench.interrupts import asked_to_stop, defer_interrupts, listening_to_ctrl_c


def interrupt() -> None:
    assert callable(signal.getsignal(signal.SIGINT)), "it would end this process, and all tests in it"
    # to this thread: sent to the process, it may reach another one, and end the test process some time later
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_deferred_and_then_discarded() -> None:
    done = []

    def work() -> None:
        with listening_to_ctrl_c():
            with defer_interrupts():
                interrupt()
                done.append(asked_to_stop())
            done.append(False)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [True]
    assert not asked_to_stop()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_handler_of_the_program_is_kept() -> None:
    calls = list[int]()
    before = signal.signal(signal.SIGINT, lambda number, _frame: calls.append(number))
    try:
        with listening_to_ctrl_c():
            interrupt()
    finally:
        signal.signal(signal.SIGINT, before)
    assert calls == [signal.SIGINT]


def test_a_thread_that_defers_does_not_hold_back_the_main_thread() -> None:
    inside, leave = threading.Event(), threading.Event()

    def defer() -> None:
        with listening_to_ctrl_c(), defer_interrupts():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=defer)
    thread.start()
    inside.wait(60)
    with pytest.raises(KeyboardInterrupt), listening_to_ctrl_c():
        interrupt()
    leave.set()
    thread.join(60)
    assert not thread.is_alive()
