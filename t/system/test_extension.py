"""user+folder: mail goes to the folder of that name when the user has one, and to the inbox when not."""
import pytest

from suite import Suite


@pytest.fixture(scope="module")
def suite():
    with Suite(settings=["recipient_delimiter=+"]) as s:
        with s.imap() as c:
            for name in ("Lists", "Lists/Inner"):
                assert c.create(name)[0] == "OK"
        yield s


def send(suite, extension, mark):
    suite.send(f"Subject: x\r\n\r\n{mark}\r\n", to=f"user1{extension}@example.test")
    suite.wait_queue_empty()


def found(suite, folder, mark):
    return sum(mark.encode() in m for m in suite.messages("user1", folder))


@pytest.mark.parametrize("extension,folder", [("+Lists", ".Lists"), ("+lists", ".Lists"), ("+LISTS/inner", ".Lists.Inner"), ("", "")])
def test_a_folder_that_is_there_gets_it(suite, extension, folder):
    mark = f"mark-{extension}-folder"
    send(suite, extension, mark)
    assert [found(suite, f, mark) for f in ("", ".Lists", ".Lists.Inner")] == [f == folder for f in ("", ".Lists", ".Lists.Inner")]
    assert suite.messages("user1", folder)[-1].count(f"Delivered-To: user1{extension}@example.test\n".encode()) == 1


@pytest.mark.parametrize("extension", ["+nowhere", "+../user2", "+postrider", "+cur", "+", "+Lists/", "+.Lists"])
def test_no_folder_is_made_by_a_strangers_word(suite, extension):
    mark = f"mark-{extension}-none"
    send(suite, extension, mark)
    assert found(suite, "", mark) == 1
    with suite.imap() as c:
        names = b" ".join(c.list()[1])
        assert b"nowhere" not in names and b"user2" not in names


def test_readers_see_it_there(suite):
    send(suite, "+lists", "mark-by-imap")
    with suite.imap() as c:
        assert c.select("Lists")[0] == "OK"
        assert c.search(None, "BODY", "mark-by-imap")[1] != [b""]
