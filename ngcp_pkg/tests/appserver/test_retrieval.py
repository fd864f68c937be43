"""Calls to a mailbox, on a wire in memory: what its owner hears, and what becomes of it."""

import logging

import pytest

from appserver.box import LENGTH, NUMBER, OTHER, OTHER_BOX, PROMPT, Box, Names
from appserver.desk import short
from appserver.house import BOX, House, Telephone, best_match, speech
from ngcp.appserver.lockout import TRIES
from ngcp.provisioning.voicemail import Folder, Greeting
from ngcp.sip.syntax import Request
from ngcp.voice.stream import FRAME, PACE

BOB = f'"Bob" <{OTHER}>'


class Visit:
    """A call to the mailbox."""

    def __init__(self, *callers: str, own: bool = True, box: Box | None = None) -> None:
        self.box, self.names = box or Box(*callers), Names()
        self.house = House(archive=self.box, files=self.names)
        self.phone = self.call(own=own)

    def call(self, *, own: bool = True, language: str = "en") -> Telephone:
        mailbox = (f"mailbox={BOX}",) if own else ()
        phone = Telephone(self.house, "mailbox", *mailbox, f"language={language}")
        response = phone.invite(*((f"P-Caller-UUID: {BOX}",) if own else ()))
        assert response.status == 200, response.status
        phone.acknowledge()
        return phone

    def press(self, keys: str) -> str:
        """Press keys, and return what is said behind the last one."""
        for key in keys:
            self.names.said.clear()
            self.phone.press(key)
        return short(self.names.said)

    def wait(self, seconds: float) -> str:
        """Let time pass, and return what is said in it."""
        self.names.said.clear()
        self.house.wait(seconds)
        return short(self.names.said)

    def log_in(self) -> "Visit":
        self.press("1234#")
        return self

    def hear(self, seconds: float) -> bytes:
        """Return what is heard."""
        self.phone.heard.clear()
        self.house.wait(seconds)
        return b"".join(self.phone.heard)

    def hang_up(self) -> None:
        assert self.phone.ask("BYE").status == 200
        self.house.wait(0.1)


@pytest.fixture
def visit() -> Visit:
    return Visit(BOB, "4369911")


def test_keys_before_the_call_is_answered_mean_nothing() -> None:
    visit = Visit(BOB)
    visit.names.said.clear()
    phone = visit.phone = Telephone(visit.house, "mailbox", f"mailbox={BOX}")
    assert phone.invite().status == 200
    phone.press("12")
    assert visit.names.said == []
    phone.acknowledge()
    assert short(visit.names.said) == "password"
    assert visit.press("1234#").startswith("youhave")


# Who comes in


def test_own_telephone_needs_the_pin_only(visit: Visit) -> None:
    assert short(visit.names.said) == "password"
    assert visit.press("1234#") == "youhave 2 INBOX messages onefor INBOX messages opts helpexit"


def test_other_telephone_needs_mailbox_and_pin() -> None:
    visit = Visit(BOB, own=False)
    assert short(visit.names.said) == "login"
    assert visit.press(f"{NUMBER}#") == "password"
    assert visit.press("1234#").startswith("youhave 1 INBOX message")


def test_mailbox_of_nobody_is_refused_as_a_wrong_pin_is() -> None:
    visit = Visit(BOB, own=False)
    assert visit.press("4399#1234#") == "incorrect-mailbox"
    assert visit.press(f"{NUMBER}#1111#") == "incorrect-mailbox"


def test_prompts_are_in_the_language_of_the_subscriber(visit: Visit) -> None:
    visit.names.said.clear()
    visit.call(language="de")
    assert visit.names.said == ["de:vm-password"]


def test_three_wrong_pins_end_the_call(visit: Visit) -> None:
    visit.press("1#2#")
    assert visit.press("3#") == "incorrect goodbye"
    visit.house.wait(1.0)
    assert visit.phone.was_hung_up


def test_brute_force_is_locked_out_and_told_once_a_try(
    visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    """From the mailbox's own telephone, too; the right PIN does not help either."""
    for _ in range(TRIES // 3):
        visit.phone = visit.call()
        visit.press("1#2#3#")
    lines = [record.getMessage() for record in caplog.records if "wrong PIN" in record.getMessage()]
    assert len(lines) == TRIES
    assert lines[-1].endswith(f"caller {BOX} is locked for 15 minutes")
    visit.phone = visit.call()
    assert visit.press("1234#") == "incorrect goodbye"
    visit.house.wait(1.0)
    assert visit.phone.was_hung_up
    visit.house.now += 900
    visit.phone = visit.call()
    assert visit.press("1234#").startswith("youhave")


def test_strangers_do_not_lock_the_owner_out_of_his_own_telephone() -> None:
    visit = Visit(BOB, own=False)
    for _ in range(TRIES // 3):
        visit.phone = visit.call(own=False)
        visit.press(f"{NUMBER}#1#" * 3)
    visit.phone = visit.call(own=False)
    assert visit.press(f"{NUMBER}#1234#") == "incorrect goodbye"
    visit.phone = visit.call()
    assert visit.press("1234#").startswith("youhave")


def test_many_calls_at_once_have_no_more_tries(visit: Visit) -> None:
    phones = [visit.call() for _ in range(2 * TRIES)]
    for phone in phones:
        phone.press("1#")
    visit.phone = visit.call()
    assert visit.press("1234#") == "incorrect goodbye"


def test_operator_unlocks(visit: Visit) -> None:
    for _ in range(TRIES // 3):
        visit.phone = visit.call()
        visit.press("1#2#3#")
    assert [one.name for one in visit.house.lockout.locked(visit.house.now)] == [f"caller {BOX}"]
    assert visit.house.lockout.unlock(f"caller {BOX}")
    visit.phone = visit.call()
    assert visit.press("1234#").startswith("youhave")


def test_owner_calls_his_own_number_from_elsewhere() -> None:
    box = Box(BOB)
    visit = Visit(own=False, box=box)
    visit.phone = Telephone(visit.house, "voicebox", f"mailbox={BOX}", "greeting=busy", "language=de")
    visit.phone.call()
    visit.house.wait(0.2)
    visit.names.said.clear()
    visit.phone.press("*")
    assert visit.names.said == ["de:vm-password"]
    visit.phone.press("1234#")
    assert visit.names.said[1:5] == ["de:vm-youhave", "de:digits/1", "de:vm-INBOX", "de:vm-message"]
    visit.hang_up()
    assert visit.house.messages == []


def test_access_number_asks_for_the_mailbox_whoever_calls() -> None:
    visit = Visit(BOB, own=False)
    visit.phone = Telephone(visit.house, "mailbox")
    visit.names.said.clear()
    visit.phone.invite(f"P-Caller-UUID: {BOX}")
    visit.phone.acknowledge()
    assert short(visit.names.said) == "login"


# What is heard


def test_message_is_heard_as_it_was_spoken(visit: Visit) -> None:
    visit.log_in().press("1")
    heard = visit.hear(LENGTH + 3.0)
    quality, _ = best_match(visit.box.sounds[1], heard)
    assert quality > 0.99


def test_any_key_interrupts(visit: Visit) -> None:
    visit.log_in().press("1")
    visit.house.wait(2.5)
    assert visit.press("6").startswith("last message from-phonenumber 4 3 6 9 9 1 1")
    heard = visit.hear(LENGTH + 3.0)
    assert best_match(visit.box.sounds[2], heard)[0] > 0.99
    assert best_match(visit.box.sounds[1], heard)[0] < 0.5


def test_menu_follows_the_message_and_patience_ends(visit: Visit) -> None:
    visit.log_in().press("1")
    assert visit.wait(LENGTH + 3.0) == "advopts repeat next delete toforward savemessage helpexit"
    assert visit.wait(7.0) == "advopts repeat next delete toforward savemessage helpexit"
    visit.house.wait(7.0)
    assert visit.wait(8.0).endswith("goodbye")
    assert visit.phone.was_hung_up
    assert visit.box.folder(1) is Folder.OLD


#: Prompts before the sound of message 1: "first message from …", seven digits.
BEFORE = 10 * PROMPT * PACE


def test_message_is_skipped_and_rewound(visit: Visit) -> None:
    samples = visit.box.sounds[1]
    visit.log_in().press("1")
    visit.house.wait(BEFORE)
    visit.press("#")
    heard = visit.hear(1.2)
    tail = samples[round(3.3 / PACE) * FRAME : round(3.9 / PACE) * FRAME]
    assert best_match(tail, heard)[0] > 0.9
    visit.press("1")
    visit.house.wait(BEFORE + 2.0)
    visit.press("*")
    heard = visit.hear(1.0)
    head = samples[round(0.3 / PACE) * FRAME : round(0.9 / PACE) * FRAME]
    assert best_match(head, heard)[0] > 0.9


def test_message_is_stopped_and_goes_on(visit: Visit) -> None:
    visit.log_in().press("1")
    visit.house.wait(BEFORE + 1.0)
    visit.press("0")
    assert visit.hear(5.0) == b""
    visit.press("0")
    assert len(visit.hear(LENGTH)) > 0
    assert visit.press("0") == "options"


def test_message_that_was_stopped_goes_on_at_last(visit: Visit) -> None:
    visit.log_in().press("1")
    visit.house.wait(BEFORE + 1.0)
    visit.press("0")
    visit.house.wait(119.0)
    assert visit.wait(6.0).startswith("advopts")


def test_patience_behind_a_message_that_was_stopped(visit: Visit) -> None:
    visit.log_in().press("1")
    visit.house.wait(BEFORE + 1.0)
    visit.press("0")
    visit.press("3")
    visit.house.wait(3.0)
    assert visit.wait(12.5).count("starmain") == 2


def test_message_that_is_gone_meanwhile(visit: Visit) -> None:
    visit.log_in()
    del visit.box.messages[1]
    visit.press("1")
    assert visit.wait(2.0).startswith("advopts")


def test_database_is_away_when_a_message_is_wanted(visit: Visit) -> None:
    visit.log_in()
    visit.box.is_away = True
    assert "please-try-call-later advopts" in visit.press("1")
    visit.box.is_away = False
    assert visit.press("5").startswith("first message")


# What becomes of it


def test_who_hangs_up_has_heard_and_deleted(visit: Visit) -> None:
    visit.log_in().press("16")
    visit.press("7")
    assert visit.box.folder(2) is Folder.INBOX
    visit.hang_up()
    assert (visit.box.folder(1), visit.box.folder(2)) == (Folder.OLD, None)
    visit.house.wait(40.0)
    assert visit.house.is_idle


def test_farewell_settles_and_hangs_up(visit: Visit) -> None:
    visit.log_in().press("1")
    visit.press("92")
    visit.house.wait(1.5)
    visit.press("2#")
    assert visit.press("#") == "goodbye"
    assert visit.box.folder(1) is Folder.WORK
    visit.house.wait(1.0)
    assert visit.phone.was_hung_up


def test_greeting_is_recorded_reviewed_and_kept(visit: Visit) -> None:
    visit.log_in()
    assert visit.press("01") == "rec-unv beep"
    visit.house.wait(2 * PROMPT * PACE)
    spoken = speech(3.0)
    visit.house.speak(visit.phone, spoken)
    assert visit.press("#") == "review star-cancel"
    visit.press("2")
    assert best_match(spoken[FRAME * 20 :], visit.hear(4.0))[0] > 0.99
    assert visit.press("1") == "msgsaved options"
    assert best_match(spoken, visit.box.greetings[Greeting.UNAVAILABLE])[0] > 0.99


def test_pound_before_the_beep_leads_to_the_beep(visit: Visit) -> None:
    visit.log_in().press("01")
    assert visit.press("#") == "beep"
    visit.house.wait(0.2)
    visit.house.speak(visit.phone, speech(3.0))
    assert visit.press("#") == "review star-cancel"


def test_silence_ends_the_recording(visit: Visit) -> None:
    visit.log_in().press("01")
    visit.house.wait(0.4)
    visit.house.speak(visit.phone, speech(2.0))
    assert visit.wait(11.0).startswith("review star-cancel")


def test_recording_of_nothing(visit: Visit) -> None:
    visit.log_in().press("01")
    assert visit.wait(11.0).startswith("tooshort torerecord star-cancel")


def test_reply(visit: Visit) -> None:
    visit.log_in().press("1")
    visit.press("3")
    assert visit.press("1") == "intro beep"
    visit.house.wait(0.3)
    spoken = speech(3.0)
    visit.house.speak(visit.phone, spoken)
    visit.press("#")
    assert visit.press("1").startswith("msgsaved")
    assert (visit.house.message.mailbox, visit.house.message.caller) == (OTHER_BOX, f"<{NUMBER}>")
    assert best_match(spoken, visit.house.stored())[0] > 0.99


def test_who_hangs_up_behind_a_reply_has_sent_it(visit: Visit) -> None:
    visit.log_in().press("131")
    visit.house.wait(0.3)
    visit.house.speak(visit.phone, speech(3.0))
    visit.hang_up()
    assert visit.house.message.mailbox == OTHER_BOX


def test_who_hangs_up_before_he_has_spoken_has_sent_nothing(visit: Visit) -> None:
    visit.log_in().press("131")
    visit.house.wait(0.5)
    visit.hang_up()
    assert visit.house.messages == []


def test_what_was_recorded_before_is_no_reply(visit: Visit) -> None:
    visit.log_in().press("01")
    visit.house.wait(0.4)
    visit.house.speak(visit.phone, speech(3.0))
    visit.press("#")
    assert visit.press("1") == "msgsaved options"
    visit.press("*131")
    visit.hang_up()
    assert visit.house.messages == []


def test_reply_is_kept_while_the_database_is_away(visit: Visit) -> None:
    visit.log_in().press("131")
    visit.house.wait(0.3)
    visit.house.speak(visit.phone, speech(3.0))
    visit.box.is_away = True
    visit.hang_up()
    assert visit.house.message.mailbox == OTHER_BOX
    assert [one.moved for one in visit.box.late] == [{1: Folder.OLD}]


def test_forward_with_a_comment(visit: Visit) -> None:
    visit.log_in().press(f"18{OTHER}#")
    assert visit.press("1") == "record-prepend beep"
    visit.house.wait(0.3)
    spoken = speech(3.0)
    visit.house.speak(visit.phone, spoken)
    visit.press("#")
    assert visit.press("1").startswith("msgforwarded")
    ((number, recipient, comment),) = visit.box.copies
    assert (number, recipient) == (1, OTHER_BOX)
    assert best_match(spoken, comment)[0] > 0.99


def test_forward_alone(visit: Visit) -> None:
    visit.log_in().press(f"18{OTHER}#")
    assert visit.press("2").startswith("msgforwarded")
    assert visit.box.copies == [(1, OTHER_BOX, b"")]


def test_pin_is_changed(visit: Visit) -> None:
    visit.log_in()
    assert visit.press("052580#2580#") == "passchanged options"
    assert visit.box.pins[BOX] == "2580"


def test_database_is_away_at_the_door(visit: Visit, caplog: pytest.LogCaptureFixture) -> None:
    visit.box.is_away = True
    with caplog.at_level(logging.WARNING):
        assert visit.press("1234#") == "please-try-call-later goodbye"
    visit.house.wait(1.0)
    assert visit.phone.was_hung_up
    assert len(caplog.records) == 1


# Calls to others


def invites(visit: Visit) -> list[Request]:
    """Return the calls that were placed; none of them is answered, so each is sent again."""
    sent = [one for one in visit.house.sent if isinstance(one, Request) and one.method == "INVITE"]
    return list({one.call_id: one for one in sent}.values())


def test_sender_is_called_back(visit: Visit) -> None:
    visit.log_in().press("13")
    assert visit.press("2") == "num-i-have 4 3 1 2 0 0 2 tocallnum calldiffnum star-cancel"
    visit.press("1")
    visit.house.wait(0.5)
    (invite,) = invites(visit)
    assert invite.uri == f"sip:+{OTHER}@example.org"
    assert invite.from_.uri.name == "alice"
    assert invite.get("p-caller-uuid") == BOX
    assert visit.press("#").endswith("helpexit")


def test_call_back_is_taken_back_when_the_caller_hangs_up(visit: Visit) -> None:
    visit.log_in().press("1321")
    visit.house.wait(0.5)
    visit.hang_up()
    visit.house.wait(80.0)
    assert not len(visit.house.core.calls)


def test_others_telephones_call_nobody() -> None:
    """Who knows a PIN does not call at its owner's expense."""
    visit = Visit(BOB, own=False)
    visit.press(f"{NUMBER}#1234#1")
    assert visit.press("3") == "toreply tohearenv leavemsg starmain"
    assert visit.press("2").startswith("sorry")
    assert invites(visit) == []
