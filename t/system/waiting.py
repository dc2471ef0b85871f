"""The one way in which tests wait: for an event, never for a time."""
import time

DEADLINE_S = 60


def until(ask, what="it", deadline_s=DEADLINE_S):
    """Asks until there is an answer that counts as true, and returns it: waiting for an event, never for a time."""
    end = time.monotonic() + deadline_s
    while not (answer := ask()):
        assert time.monotonic() < end, f"{what} did not happen within {deadline_s} s"
        time.sleep(0.01)
    return answer
