"""Children that hear interrupts, or are deaf to them, whatever the tests were started with: for `preexec_fn`.

A shell without job control starts what is put into the background (`pytest &` in a script) with SIGINT ignored, and so it is in
all that this starts in its turn: a command that is right to stay deaf then would fail a test that interrupts it.
"""

import signal


def hearing() -> None:
    """The child is ended by an interrupt, or by what it does about one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def deaf() -> None:
    """The child is started as in the background: an interrupt is meant for somebody else at the same terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
