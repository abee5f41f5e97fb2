"""The record of one identity: which of its devices count, and how far. docs/protocol.md alone."""

from rules_base import H, decode, encode, refuse_if
from rules_signed import open_statement

ALL = 2**48 - 2
CERTIFICATE, REVOCATION, READING_KEY = 1, 2, 3


class Record:
    def __init__(self, identity):
        self.identity = identity
        self.statements = {}  # name -> what it says
        self.told = None  # (number, first 16 bytes of the digest), as a peer said

    def take(self, statement):
        said = open_statement(encode(statement))
        refuse_if(said["identity"] != self.identity, "identity")
        said["cuts"] = decode(statement[0])[4] if said["kind"] == REVOCATION else []
        self.statements[said["hash"]] = said

    def digest(self):
        return H("aloud1-ident", b"".join(sorted(self.statements)))

    def check_told(self):
        """What came is what the peer said that it has, or more, if it has learnt some since."""
        if self.told is not None and len(self.statements) <= self.told[0]:
            refuse_if(self.told != (len(self.statements), self.digest()[:16]), "digest")

    def about(self, kind, device):
        return [s for s in self.statements.values() if s["kind"] == kind
                and s["device"] == device]

    def cut(self, device, log):
        """(seq, id) of the smallest cut of a log; (0, b"") where none counts, (ALL, None) all."""
        last = (ALL, None)
        for revocation in self.about(REVOCATION, device):
            named = {cut[0]: (cut[1], cut[2]) for cut in revocation["cuts"]}
            seq, id_ = named.get(log, (0, b""))
            if last[1] is None or (seq, id_) < last:
                last = (seq, id_)
        return last

    def counts_to(self, device, log, ids):
        """The last entry of a log that counts; |ids| are those held, by seq."""
        if not self.about(CERTIFICATE, device):
            return 0
        seq, id_ = self.cut(device, log)
        if id_ is None:
            return ALL
        return seq if ids.get(seq) == id_ else 0
