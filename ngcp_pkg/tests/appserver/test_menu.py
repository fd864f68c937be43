"""Every path through the menus of a mailbox: keys, what is said, what is done.

In keys, `.` is the end of all that is said, and `_` a caller who presses nothing for long. Prompts are
written without `vm-` and `digits/`.
"""

import pytest

from appserver.desk import Desk, inbox, message, short
from ngcp.appserver.menu import KEYS
from ngcp.appserver.menu_state import Place
from ngcp.provisioning.voicemail import Folder, Greeting, Manner

BOB, CAROL, UNKNOWN = '"Bob" <4312002>', "4369911", '"Anonymous" <>'

STARTING = "onefor INBOX messages opts helpexit"
FIRST = "advopts repeat next delete toforward savemessage helpexit"
MIDDLE = "prev advopts repeat next delete toforward savemessage helpexit"
LAST = "prev advopts repeat delete toforward savemessage helpexit"
ADVANCED = "toreply tohearenv leavemsg starmain"
CALLS = "toreply tocallback tohearenv tomakecall leavemsg starmain"
PLAYED = {
    1: "first message from-phonenumber 4 3 1 2 0 0 2 <1>",
    2: "message 2 from-phonenumber 4 3 6 9 9 1 1 <2>",
    3: "last message unknown-caller <3>",
}
CHANGE = (
    "changeto press 0 for INBOX messages press 1 for Old messages press 2 for Work messages"
    " press 3 for Family messages press 4 for Friends messages tocancel"
)
SAVE = CHANGE.replace("changeto", "savefolder")
FORWARDING = "forwardoptions star-cancel"
RECIPIENT = "extension then-pound star-cancel"
REVIEW = "review star-cancel"
AGAIN = "torerecord star-cancel"
EMPTY = "youhave no messages"

MAIN = (
    ("1", PLAYED[1], ""),
    ("1.", FIRST, ""),
    ("16", PLAYED[2], ""),
    ("16.", MIDDLE, ""),
    ("166", PLAYED[3], ""),
    ("166.", LAST, ""),
    ("1666", f"nomore {LAST}", ""),
    ("164", PLAYED[1], ""),
    ("14", f"nomore {FIRST}", ""),
    ("161", PLAYED[1], ""),
    ("165", PLAYED[2], ""),
    ("5", PLAYED[1], ""),
    ("6", PLAYED[2], ""),
    ("4", f"nomore {STARTING}", ""),
    ("7", STARTING, ""),
    ("9", STARTING, ""),
    ("8", f"nomore {STARTING}", ""),
    ("A", f"sorry {STARTING}", ""),
    ("*", STARTING, ""),
    ("1.*", "onefor INBOX messages opts repeat next delete toforward savemessage helpexit", ""),
    # while a message is played
    ("1#", PLAYED[1], "Skip 3"),
    ("1*", PLAYED[1], "Skip -3"),
    ("10", PLAYED[1], "Pause"),
    ("12", "<1>", ""),
    ("12.", FIRST, ""),
    # delete, undelete
    ("17", f"deleted {FIRST.replace('delete', 'undelete')}", ""),
    ("177", f"undeleted {FIRST}", ""),
    ("17.#", "goodbye", "removed 1"),
    ("1.77#", "goodbye", "moved 1 to Old"),
    ("1.7.6.7.#", "goodbye", "removed 1, removed 2"),
    ("1.#", "goodbye", "moved 1 to Old"),
    ("#", "goodbye", ""),
    # save
    ("19", SAVE, ""),
    ("192", f"message 1 savedto Work messages {FIRST}", ""),
    ("192.#", "goodbye", "moved 1 to Work"),
    ("190#", "goodbye", ""),
    ("1.7.91#", "goodbye", "moved 1 to Old"),
    ("192.7#", "goodbye", "removed 1"),
    ("19#", FIRST, ""),
    ("19*", FIRST, ""),
    ("197", f"sorry {SAVE}", ""),
    # folders
    ("2", CHANGE, ""),
    ("21", "Old messages opts helpexit", ""),
    ("211", f"{EMPTY} opts helpexit", ""),
    ("120.2", CHANGE, "Pause"),
    ("1.21", "Old messages onefor Old messages opts helpexit", "moved 1 to Old"),
    ("1.211", "first message from-phonenumber 4 3 1 2 0 0 2 <1>", "moved 1 to Old"),
    ("1.7.20", f"INBOX messages {STARTING}", "removed 1"),
    ("2#", STARTING, ""),
    ("2*", STARTING, ""),
    ("29", f"sorry {CHANGE}", ""),
    # nothing is pressed
    ("_", STARTING, ""),
    ("___", "goodbye", ""),
    ("__1._", FIRST, ""),
    ("__1.__", FIRST, ""),
    ("__1.___", "goodbye", "moved 1 to Old"),
    ("2__", CHANGE, ""),
    ("2___", STARTING, ""),
    ("2______", "goodbye", ""),
)
BEHIND_3 = (
    ("3", "leavemsg starmain", ""),
    ("1.3", ADVANCED, ""),
    ("1.3*", FIRST, ""),
    ("1.3#", FIRST, ""),
    ("1.38", f"sorry {ADVANCED}", ""),
    ("1.33", f"received at 9 oh 5 a-m from-phonenumber 4 3 1 2 0 0 2 {FIRST}", ""),
    ("33", f"sorry {STARTING}", ""),
    ("31", f"sorry {STARTING}", ""),
    ("32", f"sorry {STARTING}", ""),
    ("1.32", f"sorry {FIRST}", ""),
    ("1.34", f"sorry {FIRST}", ""),
    # reply
    ("1.31", "intro beep", ""),
    ("1.31#", REVIEW, ""),
    ("1.31#1", f"msgsaved {FIRST}", "sent to uuid-4312002"),
    ("1.31#2", f"<take> {REVIEW}", ""),
    ("1.31#3", "intro beep", ""),
    ("1.31#3#1", f"msgsaved {FIRST}", "sent to uuid-4312002"),
    ("1.31#*", FIRST, ""),
    ("1.31#7", f"sorry {REVIEW}", ""),
    ("1.31*", REVIEW, ""),
    ("1.315", "intro beep", ""),
    ("1.31#___", FIRST, ""),
    ("16.31", f"nobox {MIDDLE}", ""),
    ("166.31", f"nonumber {LAST}", ""),
    # leave a message
    ("35", RECIPIENT, ""),
    ("354312002#", "intro beep", ""),
    ("354312002##1", f"msgsaved {STARTING}", "sent to uuid-4312002"),
    ("35#", STARTING, ""),
    ("35*", STARTING, ""),
)
BEHIND_8 = (
    ("1.8", RECIPIENT, ""),
    ("18", RECIPIENT, ""),
    ("1.8*", FIRST, ""),
    ("1.8#", FIRST, ""),
    ("1.8___", FIRST, ""),
    ("1.89#", f"pbx-invalid {RECIPIENT}", ""),
    ("1.89#9#9#", f"pbx-invalid {FIRST}", ""),
    ("1.84312002#", FORWARDING, ""),
    ("1.84312002_", FORWARDING, ""),
    ("1.84312002#2", f"msgforwarded {FIRST}", "forwarded 1 to uuid-4312002"),
    ("1.84312002#*", FIRST, ""),
    ("1.84312002##", f"sorry {FORWARDING}", ""),
    ("1.84312002#1", "record-prepend beep", ""),
    ("1.84312002#1#", REVIEW, ""),
    ("1.84312002#1#1", f"msgforwarded {FIRST}", "forwarded 1 to uuid-4312002 with comment"),
    ("1.84312002#1#*", FIRST, ""),
)
BEHIND_0 = (
    ("0", "options", ""),
    ("0*", STARTING, ""),
    ("0#", STARTING, ""),
    ("09", "sorry options", ""),
    ("0___", STARTING, ""),
    ("01", "rec-unv beep", ""),
    ("02", "rec-busy beep", ""),
    ("03", "rec-name beep", ""),
    ("04", "rec-temp beep", ""),
    ("01#", REVIEW, ""),
    ("01#1", "msgsaved options", "kept unavail"),
    ("02#1", "msgsaved options", "kept busy"),
    ("03#1", "msgsaved options", "kept greet"),
    ("04#1", "msgsaved options", "kept temp"),
    ("01#2", f"<take> {REVIEW}", ""),
    ("01#3", "rec-unv beep", ""),
    ("01#*", "options", ""),
    ("04#14", "tempgreeting2", "kept temp"),
    ("04#141", "rec-temp beep", "kept temp"),
    ("04#142", "tempremoved options", "kept temp, dropped temp"),
    ("04#1424", "rec-temp beep", "kept temp, dropped temp"),
    ("04#14*", "options", "kept temp"),
    ("04#147", "sorry tempgreeting2", "kept temp"),
    # PIN
    ("05", "newpassword", ""),
    ("05777#", "reenterpassword", ""),
    ("05777#777#", "passchanged options", "pin 777"),
    ("05777#778#", "mismatch newpassword", ""),
    ("05777#778#777#777#", "passchanged options", "pin 777"),
    ("051#2#1#2#1#2#", "mismatch options", ""),
    ("05#", "options", ""),
    ("05*", "options", ""),
    ("0577*", "options", ""),
    ("0577#*", "options", ""),
)


@pytest.fixture
def desk() -> Desk:
    return Desk(inbox(BOB, CAROL, UNKNOWN)).log_in()


@pytest.mark.parametrize(("keys", "said", "done"), (*MAIN, *BEHIND_3, *BEHIND_8, *BEHIND_0))
def test_path(desk: Desk, keys: str, said: str, done: str) -> None:
    assert short(desk.press(keys)) == said
    assert ", ".join(desk.done) == done


CALLING = (
    ("1.3", CALLS, ""),
    ("3", "tomakecall leavemsg starmain", ""),
    ("1.32", "num-i-have 4 3 1 2 0 0 2 tocallnum calldiffnum star-cancel", ""),
    ("166.32", "nonumber calldiffnum star-cancel", ""),
    ("1.321", "dialout", ""),
    ("1.321#", FIRST, "called +4312002"),
    ("1.3217", "dialout", ""),
    ("1.32*", FIRST, ""),
    ("1.327", "sorry num-i-have 4 3 1 2 0 0 2 tocallnum calldiffnum star-cancel", ""),
    ("1.322", "enter-num-to-call then-pound star-cancel", ""),
    ("166.321", "enter-num-to-call then-pound star-cancel", ""),
    ("34", "enter-num-to-call then-pound star-cancel", ""),
    ("34431#", "dialout", ""),
    ("34431_", "dialout", ""),
    ("34431##", STARTING, "called 431"),
    ("34#", STARTING, ""),
    ("34431*", STARTING, ""),
    ("34___", STARTING, ""),
)


@pytest.mark.parametrize(("keys", "said", "done"), CALLING)
def test_path_of_calls(keys: str, said: str, done: str) -> None:
    desk = Desk(inbox(BOB, CAROL, UNKNOWN), manner=Manner(goes_on=False, may_call=True)).log_in()

    assert short(desk.press(keys)) == said
    assert ", ".join(desk.done) == done


def test_tables_above_know_every_key_of_the_menu() -> None:
    """Each pair of place and key is pressed by one path or another."""
    pressed: set[tuple[Place, str]] = set()
    for calls, paths in ((False, (*MAIN, *BEHIND_3, *BEHIND_8, *BEHIND_0)), (True, CALLING)):
        for keys, _, _ in paths:
            manner = Manner(goes_on=False, may_call=calls)
            desk = Desk(inbox(BOB, CAROL, UNKNOWN), manner=manner).log_in()
            for key in keys:
                pressed.add((desk.menu.place, key))
                desk.press(key)
    door = {Place.MAILBOX, Place.PIN}
    folders = {(place, key) for place in (Place.FOLDER, Place.SAVE) for key in "01234"}
    while_playing = {(Place.MESSAGE, key) for key in "345"}

    missing = {pair for pair in KEYS if pair[0] not in door} - pressed - folders - while_playing
    assert missing == set()


@pytest.mark.parametrize("key", "13456789")
def test_message_is_interrupted_by_any_key_of_the_menu(desk: Desk, key: str) -> None:
    waiting = Desk(inbox(BOB, CAROL, UNKNOWN)).log_in()
    assert short(desk.press(f"16{key}")) == short(waiting.press(f"16.{key}"))


# Logging in


def test_own_telephone_asks_for_the_pin_only() -> None:
    desk = Desk(inbox(BOB))
    assert short(desk.said) == "password"
    assert short(desk.press("1234#")) == f"youhave 1 INBOX message {STARTING}"


def test_pin_needs_no_pound() -> None:
    assert short(Desk(inbox(BOB)).press("1234_")) == f"youhave 1 INBOX message {STARTING}"


def test_other_telephone_asks_for_the_mailbox_first() -> None:
    desk = Desk(inbox(BOB), is_known=False)
    assert short(desk.said) == "login"
    assert short(desk.press("4311#")) == "password"
    assert short(desk.press("1234#")) == f"youhave 1 INBOX message {STARTING}"


def test_star_leads_to_another_mailbox() -> None:
    desk = Desk(inbox(BOB))
    assert short(desk.press("*")) == "login"
    assert short(desk.press("4311#1234#")) == f"youhave 1 INBOX message {STARTING}"


def test_wrong_pin_three_times() -> None:
    desk = Desk(inbox(BOB))
    assert short(desk.press("1#")) == "incorrect password"
    assert short(desk.press("2#")) == "incorrect password"
    assert short(desk.press("3#")) == "incorrect goodbye"
    assert desk.menu.is_over
    desk.press("1234#")
    assert short(desk.said) == "incorrect goodbye"


def test_wrong_pin_of_a_mailbox_three_times() -> None:
    desk = Desk(inbox(BOB), is_known=False)
    for _ in range(2):
        assert short(desk.press("4311#1#")) == "incorrect-mailbox"
    assert short(desk.press("4319#1234#")) == "incorrect goodbye"


def test_tries_are_counted_through_star() -> None:
    desk = Desk(inbox(BOB))
    assert short(desk.press("1#*4311#1#")) == "incorrect-mailbox"
    assert short(desk.press("4311#1#")) == "incorrect goodbye"


def test_right_pin_behind_two_wrong_ones() -> None:
    assert short(Desk(inbox(BOB)).press("1#2#1234#")) == f"youhave 1 INBOX message {STARTING}"


@pytest.mark.parametrize("keys", ["*#", "**", "___", "*___"])
def test_nobody_logs_in(keys: str) -> None:
    desk = Desk(inbox(BOB))
    assert short(desk.press(keys)) == "goodbye"
    assert desk.menu.is_over


def test_database_is_away_when_somebody_logs_in() -> None:
    desk = Desk(inbox(BOB), is_broken=True)
    assert short(desk.press("1234#")) == "please-try-call-later goodbye"
    assert desk.menu.is_over


# What there is


INTRODUCTIONS = (
    (0, 0, "youhave no messages opts helpexit"),
    (1, 0, f"youhave 1 INBOX message {STARTING}"),
    (2, 0, f"youhave 2 INBOX messages {STARTING}"),
    (0, 1, "youhave 1 Old message onefor Old messages opts helpexit"),
    (0, 21, "youhave 20 1 Old messages onefor Old messages opts helpexit"),
    (1, 2, f"youhave 1 INBOX message and 2 Old messages {STARTING}"),
)


@pytest.mark.parametrize(("new", "old", "said"), INTRODUCTIONS)
def test_introduction(new: int, old: int, said: str) -> None:
    folders = {
        Folder.INBOX: [message(number) for number in range(new)],
        Folder.OLD: [message(100 + number, folder=Folder.OLD) for number in range(old)],
    }
    assert short(Desk(folders).press("1234#")) == said


def test_temporary_greeting_is_told_of() -> None:
    desk = Desk(greetings={Greeting.TEMPORARY})
    assert short(desk.press("1234#")) == "tempgreetactive youhave no messages opts helpexit"


@pytest.mark.parametrize("keys", ["1", "5"])
def test_no_messages(keys: str) -> None:
    assert short(Desk().log_in().press(keys)) == "youhave no messages opts helpexit"


@pytest.mark.parametrize("keys", ["3", "7", "9", "31", "33"])
def test_nothing_is_to_be_done_without_messages(keys: str) -> None:
    desk = Desk().log_in()
    desk.press(f"{keys}_#")
    assert desk.done == []


MANNERS = (
    (Manner(), "first message from-phonenumber 4 3 1 2 0 0 2 <1>"),
    (Manner(says_caller=False), "first message <1>"),
    (Manner(says_time=True, says_caller=False), "first message received at 9 oh 5 a-m <1>"),
    (Manner(says_duration=True, says_caller=False), "first message duration 2 minutes <1>"),
    (Manner(says_duration=True, says_caller=False, least_minutes=3), "first message <1>"),
)


@pytest.mark.parametrize(("manner", "said"), MANNERS)
def test_what_is_said_before_a_message(manner: Manner, said: str) -> None:
    assert short(Desk(inbox(BOB), manner=manner).log_in().press("1")) == said


def test_next_message_follows_one_that_was_deleted_or_saved() -> None:
    desk = Desk(inbox(BOB, CAROL, UNKNOWN), manner=Manner()).log_in()
    assert short(desk.press("1.7")) == f"deleted {PLAYED[2]}"
    assert short(desk.press("93")) == f"message 2 savedto Family messages {PLAYED[3]}"
    assert short(desk.press("7")) == f"deleted {LAST.replace('delete', 'undelete')}"
    desk.press("#")
    assert desk.done == ["removed 1", "moved 2 to Family", "removed 3"]


def test_messages_are_said_in_the_language_of_the_mailbox() -> None:
    folders = {Folder.INBOX: [message(number) for number in range(21)]}
    desk = Desk(folders, language="de")
    assert short(desk.press("1234#")).startswith("youhave 1-and 20 INBOX messages")


# Bad days


def test_recording_that_is_too_short() -> None:
    desk = Desk(inbox(BOB), seconds=0.4).log_in()
    assert short(desk.press("01#")) == f"tooshort {AGAIN}"
    assert short(desk.press("2")) == AGAIN
    assert short(desk.press("1")) == "rec-unv beep"
    desk.seconds = 3.0
    assert short(desk.press("#1")) == "msgsaved options"
    assert desk.done == ["kept unavail"]


def test_recipient_has_no_room() -> None:
    desk = Desk(inbox(BOB), is_full=True).log_in()
    assert short(desk.press("1.84312002#2")).startswith("mailboxfull ")
    assert short(desk.press("354312002##1")).startswith("mailboxfull ")


@pytest.mark.parametrize("keys", ["21", "1.31", "1.84312002#", "01#1", "05777#777#"])
def test_database_is_away(keys: str) -> None:
    desk = Desk(inbox(BOB)).log_in()
    desk.is_broken = True
    assert short(desk.press(keys)).startswith("please-try-call-later ")
    assert not desk.menu.is_over
    desk.is_broken = False
    assert short(desk.press("1.")) != ""


def test_marks_stay_where_another_folder_cannot_be_opened() -> None:
    desk = Desk(inbox(BOB, CAROL)).log_in()
    desk.press("1.7.6.")
    desk.is_broken = True
    desk.press("21")
    desk.is_broken = False
    assert short(desk.press("21")).startswith("Old messages")
    assert desk.done == ["removed 1", "moved 2 to Old"]


def test_who_hangs_up_has_heard_and_deleted_what_he_did() -> None:
    desk = Desk(inbox(BOB, CAROL, UNKNOWN)).log_in()
    desk.press("16.7")
    desk.hang_up()
    desk.hang_up()
    assert desk.done == ["moved 1 to Old", "removed 2"]


def test_who_hangs_up_while_a_folder_is_opened() -> None:
    desk = Desk(inbox(BOB)).log_in()
    desk.is_slow = True
    desk.press("1.72")
    desk.press("1")
    desk.hang_up()
    assert desk.done == ["removed 1"]


@pytest.mark.parametrize("keys", ["1.31", "1.31#", "1.31#2"])
def test_who_hangs_up_behind_a_reply_has_sent_it(keys: str) -> None:
    desk = Desk(inbox(BOB)).log_in()
    desk.press(keys)
    desk.hang_up()
    assert desk.done == ["sent to uuid-4312002", "moved 1 to Old"]


def test_who_hangs_up_behind_a_comment_has_forwarded_the_message() -> None:
    desk = Desk(inbox(BOB)).log_in()
    desk.press("1.84312002#1")
    desk.hang_up()
    assert desk.done == ["forwarded 1 to uuid-4312002 with comment", "moved 1 to Old"]


@pytest.mark.parametrize("keys", ["01", "01#", "1.31#*", "1.8", "0"])
def test_who_hangs_up_elsewhere_has_sent_nothing(keys: str) -> None:
    desk = Desk({}).log_in()
    desk.press(keys)
    desk.hang_up()
    assert desk.done == []


def test_keys_are_typed_ahead() -> None:
    desk = Desk(inbox(BOB, CAROL, UNKNOWN), is_slow=True)
    desk.press("1234#16")
    assert short(desk.said) == ""
    desk.catch_up()
    assert short(desk.said) == PLAYED[2]


def test_keys_that_skip_are_not_typed_ahead() -> None:
    desk = Desk(inbox(BOB, CAROL, UNKNOWN), is_slow=True)
    desk.press("1234#1##*")
    desk.catch_up()
    assert short(desk.said) == PLAYED[1]
    assert short(desk.press("6")) == PLAYED[2]


@pytest.mark.parametrize("ahead", ["*", "#", "5#*"])
def test_keys_that_are_typed_ahead_do_not_end_a_recording(ahead: str) -> None:
    desk = Desk(inbox(BOB)).log_in()
    desk.press("1.3")
    desk.is_slow = True
    desk.press(f"1{ahead}")
    desk.carry_out_first()
    assert short(desk.said) == "intro beep"
    assert short(desk.press("#")) == REVIEW


def test_answer_that_nobody_waits_for() -> None:
    desk = Desk(inbox(BOB)).log_in()
    desk.take(desk.menu.answer(True))
    desk.take(desk.menu.fail())
    assert short(desk.said).endswith(STARTING)
