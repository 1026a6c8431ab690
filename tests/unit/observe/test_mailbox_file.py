import io

from mailtls.observe.mailbox_file import BoxedMail, mails

BOX = (
    b"From a@b.example Mon Nov 30\nSubject: 1\n\n>From here it is text\n\n"
    b"From c@d.example Mon Nov 30\r\nSubject: 2\r\n\r\nx"
)


def test_a_mail_begins_behind_an_empty_line() -> None:
    assert list(mails(io.BytesIO(BOX), 1000)) == [
        BoxedMail(1, 1, b"Subject: 1\n\n>From here it is text\n\n"),
        BoxedMail(2, 6, b"Subject: 2\r\n\r\nx"),
    ]


def test_a_mail_that_is_too_long_is_told_and_the_next_one_is_read() -> None:
    long = b"From a\n" + b"y" * 200_000 + b"\nFrom inside\n\nFrom b\nshort\n"
    assert list(mails(io.BytesIO(long), 1000)) == [BoxedMail(1, 1, None), BoxedMail(2, 5, b"short\n")]
