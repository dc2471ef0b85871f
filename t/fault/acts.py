"""What is asked of a suite until its power is cut, and what each answer promises for the time after: the book, and a row an act.

An answer promises a place, where the message must be found when the suite has come up on what is left and has delivered what it
can. To add a kind of work: an Asker that asks for it and writes the answer down, and a row in ACTS of cutting.py."""
import os
import random
import smtplib
import subprocess
import threading

from ledger import Client, Ledger

BOX, HOLD, QUEUE, GONE = "delivered", "in hold", "waiting in the queue", "gone"
STUCK = "user4"  # whose mailbox cannot be opened
HELD = "held"    # whom policy holds; an alias of the next
BOXES = {HELD: "user2"}
USERS = ("user1", "user2", "user3")
RECIPIENTS = (*USERS, HELD, *USERS, *USERS, STUCK)
FIRST_PLACE = {STUCK: QUEUE, HELD: HOLD}
SENDER = "a@b.example"


class Notes:
    """What a client of one user knows: UIDVALIDITY, and the content of each UID; the highest that it was told of."""

    def __init__(self):
        self.validity, self.shown, self.last, self.expunged = None, {}, 0, set()

    def see(self, validity, rows):
        """What is shown now; fails where it is not what was shown before."""
        assert self.validity in (None, validity), f"UIDVALIDITY was {self.validity} and is {validity}"
        self.validity = validity
        for uid, content in rows:
            known = self.shown.get(uid)
            assert known in (None, content), f"UID {uid} was {known[:300]} and is {content[:300]}"
            assert known or uid > self.last, f"UID {uid} is new, and {self.last} was shown before"
            self.shown[uid] = content
        self.last = max([self.last, *(uid for uid, _ in rows)])

    def forget(self, now):
        """What is shown no longer; says of how many this client did not ask for it."""
        gone = [uid for uid in self.shown if uid not in now]
        for uid in gone:
            del self.shown[uid]
        return len([uid for uid in gone if uid not in self.expunged])


class Book(Ledger):
    """The ledger, and of each message the places where it may be: several while an act on it is not answered.

    What is heard once the cut has begun counts as not answered: where the power is really gone nobody answers, but a kernel whose
    file system was shut down in the middle of an fsync may say that it went well (jbd2: that transaction is over)."""

    def __init__(self, seed, cutter):
        super().__init__(seed)
        self.cutter = cutter
        self.places, self.by_queue_id = {}, {}
        self.appended = {}  # id -> UID as answered
        self.reports = set()  # ids of which a report comes, to their sender
        self.settled = set()  # found once, in a round before
        self.notes = {user: Notes() for user in USERS}

    def answered(self, act, ident, content, user, reply=b"", uid=None):
        """A new message was taken."""
        if self.cutter.has_begun:
            return
        self.promise(ident, content, user, reply)
        self.places[ident] = {FIRST_PLACE.get(user, BOX)}
        if self.promised[ident][2]:
            self.by_queue_id[self.promised[ident][2]] = ident
        if uid:
            self.appended[ident] = uid
        self.cutter.answered(act)

    def refused(self, ident, reply):
        if not self.cutter.has_begun:
            super().refused(ident, reply)

    def moved(self, act, idents, place):
        """An act on messages was answered."""
        if self.cutter.has_begun:
            return
        for ident in idents:
            self.places[ident] = {place}
        self.cutter.answered(act)


class Asker(threading.Thread):
    """One client of a round: asks until the power is off."""

    def __init__(self, suite, book, seed):
        super().__init__(daemon=True)
        self.suite, self.book, self.random = suite, book, random.Random(seed)
        self.is_over, self.failure = threading.Event(), None

    def run(self):
        while not self.is_over.is_set():
            try:
                self.ask()
            except self.CUT_OFF:
                self.is_over.wait(0.005)
            except Exception as e:  # noqa: BLE001  the round says it
                self.failure = e
                return

    CUT_OFF = (OSError,)

    def command(self, name, *args, **more):
        return self.suite.command(name, *args, **{"stdin": subprocess.DEVNULL, "timeout": 30, **more})


class Sender(Asker):
    """SMTP: 250 promises that it is delivered, or waits where it must, whole."""
    CUT_OFF = (OSError, smtplib.SMTPException)
    EACH = 6

    def __init__(self, suite, book, seed, pause_s):
        super().__init__(suite, book, seed)
        self.pause_s = pause_s

    def ask(self):
        with Client("127.0.0.1", self.suite.smtp_port, local_hostname="client.example", timeout=30) as c:
            for _ in range(self.EACH):
                ident, content, user = self.book.make(RECIPIENTS)
                code, reply = c.deliver(content, user)
                if code == 250:
                    self.book.answered("smtp", ident, content, user, reply)
                elif code != 421:
                    self.book.refused(ident, (code, reply))
                if self.is_over.wait(self.pause_s):
                    return


class LmtpClient(Client):
    ehlo_msg = "lhlo"


class Deliverer(Asker):
    """LMTP: 250 promises that it is in the mailbox."""
    CUT_OFF = Sender.CUT_OFF

    def ask(self):
        with LmtpClient("127.0.0.1", self.suite.lmtp_port, local_hostname="client.example", timeout=30) as c:
            ident, content, user = self.book.make(USERS)
            code, reply = c.deliver(content, user)
            if code == 250:
                self.book.answered("lmtp", ident, content, user)
            elif code != 421:
                self.book.refused(ident, (code, reply))
        self.is_over.wait(0.02)


class Program(Asker):
    """sendmail: exit status 0 promises the same, whether the suite runs (cleanup takes it) or not (the drop folder)."""
    act = "sendmail"

    def ask(self):
        ident, content, user = self.book.make(USERS)
        done = self.command("sendmail", "-i", "-f", SENDER, f"{user}@example.test", stdin=None, input=content, text=False)
        if done.returncode == 0:
            self.book.answered(self.act, ident, content, user)
        else:
            self.is_over.wait(0.005)


class Unlucky(Asker):
    """A message that cannot be delivered: exit status 0 promises a report to its sender."""

    def ask(self):
        ident, content, user = self.book.make(USERS)
        self.book.reports.add(ident)
        done = self.command("sendmail", "-i", "-f", f"{user}@example.test", "nobody@example.test", stdin=None, input=content, text=False)
        if done.returncode == 0:
            self.book.answered("report", ident, content, user)
        self.is_over.wait(0.02)


class Keeper(Asker):
    """An admin's acts. What was answered stays so: held is not delivered, released is not held, deleted does not come back; requeued
    is there once, and not held."""
    VERBS = {(HELD, HOLD): (("release", BOX), ("requeue", BOX), ("delete", GONE)),
             (STUCK, HOLD): (("release", QUEUE), ("requeue", QUEUE), ("delete", GONE)),
             (STUCK, QUEUE): (("hold", HOLD), ("hold", HOLD), ("requeue", QUEUE), ("delete", GONE))}

    def __init__(self, suite, book, seed, act=None):
        super().__init__(suite, book, seed)
        self.act = act

    def at_rest(self):
        """[(ident, queue id, place)]: what waits in a file, as a message on its way could be done before it is asked for."""
        found = []
        for place, folder in ((HOLD, "hold"), (QUEUE, "deferred")):
            for _, _, names in os.walk(os.path.join(self.suite.spool_dir, "queue", folder)):
                found += [(self.book.by_queue_id[n], n, place) for n in names if n in self.book.by_queue_id]
        return [row for row in found if self.book.places[row[0]] == {row[2]}]

    def ask(self):
        if self.act == "reload":
            done = self.command("postrider", "reload")
            return self.book.cutter.answered("reload") if done.returncode == 0 else None
        choices = [(ident, queue_id, place, verb, then) for ident, queue_id, place in self.at_rest()
                   for verb, then in self.VERBS[self.book.promised[ident][1], place] if self.act in (None, verb)]
        if not choices:
            return self.is_over.wait(0.01)
        return self.change(*self.random.choice(choices))

    def change(self, ident, queue_id, place, verb, then):
        self.book.places[ident] = {place, then}
        done = self.command("postrider", "queue", verb, queue_id)
        if done.returncode == 0 and "1 message" in done.stdout:
            self.book.moved(verb, [ident], then)
