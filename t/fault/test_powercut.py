"""More than 200 power cuts under load on ext4: nothing that was acknowledged is lost, changed or torn, and no UID is given twice.
And the same test finds each bug that was put in for it. `t/fault/powercut` does longer runs, on xfs and btrfs too."""
import os

import pytest
from cutting import COMMITTED, NOT_OFFERED, SOON, Cuttable, Powercuts
from plants import PLANTS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount, and shut a file system down")
ROUNDS = {False: 150, True: 60}  # spool and mailboxes on one disk, and on one each
PLANTED_ROUNDS, COMMITTED_ROUNDS = 60, 40


@pytest.mark.limit(600)
@pytest.mark.parametrize("has_two", ROUNDS, ids=["one-disk", "two-disks"])
def test_nothing_acknowledged_is_lost(has_two):
    with Cuttable("ext4", has_two=has_two) as suite:
        cuts = Powercuts(suite)
        for _ in range(ROUNDS[has_two]):
            cuts.round()
        cuts.finish()
        print(cuts.told())


def test_nothing_in_prepared_files_is_lost():
    with Cuttable("ext4", settings=NOT_OFFERED) as suite:
        cuts = Powercuts(suite, acts=COMMITTED)
        for _ in range(COMMITTED_ROUNDS):
            cuts.round()
        cuts.finish()
        print(cuts.told())
        assert cuts.prepared > COMMITTED_ROUNDS


@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(bug):
    """On two disks, or the queue's next fsync would make the mailbox's rename durable, too: they would share a journal."""
    with Cuttable("ext4", plant=bug, has_two=bug.startswith("mail")) as suite:
        cuts = Powercuts(suite, acts=SOON)
        with pytest.raises(AssertionError, match="are not where they were said to be|is torn|UID .* was"):
            for _ in range(PLANTED_ROUNDS):
                cuts.round()
            pytest.fail(f"{bug} was not found in {PLANTED_ROUNDS} rounds", pytrace=False)
        print(f"{bug}: found in round {cuts.rounds}")
