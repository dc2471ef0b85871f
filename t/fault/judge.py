"""After a power cut: everything that was answered is looked for, where its answer said and as it was sent."""
import datetime
import os
import re

from acts import BOX, BOXES, GONE, HOLD, QUEUE, STUCK, USERS
from ledger import IDENT, is_notice, is_same
from suite import is_finished
from witness import look

# How long before the cut a message may have left the queue and still come again ("in flight"): ext4 and xfs make its removal
# durable with the next fsync of anything; on btrfs qmgr has a commit begin soon after it.
IN_FLIGHT_S = {"ext4": 1, "xfs": 1, "btrfs": 2}
REMOVED = re.compile(r"(?m)^(\S+)Z qmgr\[\d+\] \w+ removed id=(\w+)")
MIXED = re.compile(r".*queue-file-damaged .*another id than its name.*")
QUEUE_ID = re.compile(rb"\bid (\w{11})\b")
UNFINISHED = ("active", "drop")  # folders where files are written under the names that they keep
WAITS = {"active": QUEUE, "deferred": QUEUE, "hold": HOLD}


class Judge:
    def __init__(self, suite, book, kind):
        self.suite, self.book, self.in_flight_s = suite, book, IN_FLIGHT_S[kind]
        self.whole = {}   # (user, base name) -> id, of files that were read and are what was sent
        self.ids = {}     # id -> queue ids, as the delivered files say
        self.counts = {}  # id -> copies, where more than one
        self.removed, self.log_at = {}, 0
        self.twice = self.unshown = 0

    # ---- looking ----

    def waiting(self):
        """{name: folder} of what is in the queue and in the drop folder; what nobody finished before the cut is no message."""
        found = {}
        for folder, top in {"drop": "drop", **{folder: f"queue/{folder}" for folder in WAITS}}.items():
            for base, _, names in os.walk(os.path.join(self.suite.spool_dir, top)):
                whole = [n for n in names if folder not in UNFINISHED or is_finished(os.path.join(base, n))]
                found.update(dict.fromkeys(whole, folder))
        return found

    def is_drained(self):
        """What waits for a mailbox that cannot be opened stays; another that is deferred (released, and its turn did not come; or its
        report could not be made while the suite stopped) is asked for."""
        there = self.waiting()
        moving = [name for name, folder in there.items() if folder == "deferred" and self.is_moving(name)]
        if moving:
            self.suite.postrider("queue", "flush", *moving)
        return not moving and not {"active", "drop"} & set(there.values())

    def is_moving(self, name):
        ident = self.book.by_queue_id.get(name) or self.ident_within(name)
        return ident in self.book.promised and self.book.promised[ident][1] != STUCK

    def ident_within(self, name):
        """Of a message whose queue id was not answered."""
        try:
            with open(os.path.join(self.suite.spool_dir, "queue", "deferred", name[-1], name), "rb") as f:
                found = IDENT.search(f.read())
        except FileNotFoundError:
            return None  # it is delivered just now
        return found and found.group(1).decode()

    def copies(self):
        """{id: [(user, base name)]} of all mailboxes; each file is read once in its life."""
        there = {}
        for user in USERS:
            for sub in ("new", "cur", "new", "cur"):  # a reader moves its files from new to cur meanwhile
                folder = os.path.join(self.suite.mail_dir, user, "Maildir", sub)
                for name in os.listdir(folder):
                    key = (user, name.partition(":")[0])
                    there[key] = there.get(key) or self.whole.get(key) or self.read(user, os.path.join(folder, name))
        self.whole = {key: ident for key, ident in there.items() if ident}
        found = {}
        for key, ident in self.whole.items():
            found.setdefault(ident, []).append(key)
        return found

    def read(self, user, path):
        """The id of a file that is what was sent."""
        try:
            with open(path, "rb") as f:
                content = f.read()
        except FileNotFoundError:
            return None  # moved; the next look finds it
        if is_notice(content):
            return None
        ident = IDENT.search(content)
        assert ident, f"{path} is torn: {len(content)} octets, {content[:100]!r}"
        ident = ident.group(1).decode()
        sent, to, *_ = self.book.promised.get(ident) or self.book.unsure.get(ident) or (None, None)
        assert sent is not None, f"{ident} was refused ({self.book.turned_away.get(ident)}), and was delivered"
        assert BOXES.get(to, to) == user, f"{ident} was for {to} and was delivered to {user}"
        assert self.is_right(ident, sent, content), f"{ident} is not what was sent"
        if found := QUEUE_ID.search(content[:2000]):
            self.ids.setdefault(ident, set()).add(found.group(1).decode())
        return ident

    def is_right(self, ident, sent, content):
        if ident in self.book.reports:
            return b"multipart/report" in content and b"nobody@example.test" in content and content.rstrip().endswith(b"--")
        return is_same(sent, content) or content == sent.replace(b"\r\n", b"\n")

    def log_read(self):
        with open(os.path.join(self.suite.dir, "log"), "rb") as f:
            f.seek(self.log_at)
            text = f.read().decode(errors="replace")
            self.log_at = f.tell()
        assert not (mixed := MIXED.findall(text)), f"a name came back with another message's content: {mixed[:3]}"
        for when, queue_id in REMOVED.findall(text):
            self.removed.setdefault(queue_id, []).append(datetime.datetime.fromisoformat(when + "+00:00").timestamp())

    # ---- judging ----

    def judge(self, cut_s):
        self.readers_agree()
        found = self.copies()
        waits = {self.book.by_queue_id[n]: WAITS[folder] for n, folder in self.waiting().items() if n in self.book.by_queue_id}
        there = {ident: {BOX} & {BOX if ident in found else None} | {waits.get(ident, GONE)} for ident in self.book.places}
        there = {ident: where - {GONE} or {GONE} for ident, where in there.items()}
        said = self.book.places
        wrong = [(i, said[i], where, found.get(i)) for i, where in there.items() if not where <= said[i]]
        assert not wrong, f"{len(wrong)} of {len(there)} are not where they were said to be: {wrong[:5]}"
        self.log_read()
        self.were_in_flight(found, cut_s)
        for ident, where in there.items():
            self.book.places[ident] = where
        self.book.settled = {ident for ident, copies in found.items()
                             if len(copies) == 1 and there.get(ident) == {BOX} and self.left(ident, cut_s)}

    def left(self, ident, cut_s):
        """Whether it left the queue so long before the cut that it may not come again. Its last removal before it counts: an earlier
        cut may have undone an earlier one."""
        def last(queue_id):
            return max((when for when in self.removed.get(queue_id, ()) if when < cut_s), default=cut_s)
        return all(last(i) < cut_s - self.in_flight_s for i in self.ids.get(ident, ()))

    def were_in_flight(self, found, cut_s):
        for ident, copies in found.items():
            if len(copies) <= self.counts.get(ident, 1):
                continue
            assert not self.left(ident, cut_s), f"{ident} came again, long after it had left the queue"
            self.counts[ident] = len(copies)
            self.twice += 1

    def readers_agree(self):
        """UIDs are what they were; what was appended stands under the UID that was said."""
        for user in USERS:
            client = self.suite.imap(user)
            notes, (validity, rows) = self.book.notes[user], look(client)
            notes.see(validity, rows)
            now = dict(rows)
            for ident, uid in self.book.appended.items():
                if self.book.promised[ident][1] == user and self.book.places[ident] == {BOX}:
                    assert ident.encode() in now.get(uid, b""), f"{ident} was appended under UID {uid}, and is not there"
            self.unshown += notes.forget(now)
            client.logout()
