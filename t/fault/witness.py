"""A reader of mail by IMAP who writes down what he was shown: a UID is never given to another message, whatever is cut off."""
import imaplib
import re

from acts import BOX, GONE, USERS, Asker
from ledger import IDENT, is_notice

CUT_OFF = (OSError, imaplib.IMAP4.error)
APPENDED = re.compile(rb"APPENDUID (\d+) (\d+)")
FULL = 40  # messages; then some are expunged


def answered(reply):
    """A disk that is cut off makes it NO before the connection ends."""
    kind, words = reply
    if kind != "OK":
        raise OSError(str(words))
    return words


def look(client, since=1):
    """(UIDVALIDITY, [(UID, content)]) of the INBOX from a UID on."""
    answered(client.select("INBOX"))
    validity = int(client.response("UIDVALIDITY")[1][0])
    rows = answered(client.uid("FETCH", f"{since}:*", "(UID BODY.PEEK[])"))
    found = [(int(re.search(rb"UID (\d+)", row[0]).group(1)), row[1]) for row in rows if isinstance(row, tuple)]
    return validity, [row for row in found if row[0] >= since]


class Reader(Asker):
    """Sees what comes; appends (answered: it stays under the UID that was said) and expunges (answered: it does not come back)."""
    CUT_OFF = CUT_OFF

    def __init__(self, suite, book, seed, is_eager):
        super().__init__(suite, book, seed)
        self.is_eager = is_eager  # to expunge

    def ask(self):
        clients = {user: self.suite.imap(user) for user in USERS}
        while not self.is_over.is_set():
            for user, client in clients.items():
                self.see(user, client)
                if self.book.next % 3 == 0:
                    self.append(user, client)
                self.expunge(user, client)

    def see(self, user, client):
        notes = self.book.notes[user]
        seen = look(client, notes.last + 1)
        if not self.book.cutter.has_begun:
            notes.see(*seen)
        self.book.cutter.answered("see")

    def append(self, user, client):
        ident, content, _ = self.book.make([user])
        kind, words = client.append("INBOX", None, None, content)
        if kind == "OK":
            self.book.answered("append", ident, content, user, uid=int(APPENDED.search(words[0]).group(2)))

    def expunge(self, user, client):
        """Only what was found in an earlier round: its queue file is gone for long."""
        notes = self.book.notes[user]
        old = [(uid, IDENT.search(content).group(1).decode()) for uid, content in notes.shown.items() if not is_notice(content)]
        old = [(uid, ident) for uid, ident in old if ident in self.book.settled]
        if len(old) < (1 if self.is_eager else FULL):
            return
        old = old[:FULL // 2]
        for _, ident in old:
            self.book.places[ident] = {BOX, GONE}
        notes.expunged |= {uid for uid, _ in old}
        client.uid("STORE", ",".join(str(uid) for uid, _ in old), "+FLAGS.SILENT", r"(\Deleted)")
        if client.expunge()[0] == "OK":
            self.book.moved("expunge", [ident for _, ident in old], GONE)
