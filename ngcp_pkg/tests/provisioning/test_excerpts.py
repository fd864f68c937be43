"""What is set of some attributes only."""

from ngcp.provisioning.runtime import Excerpts, Preferences

OWN = {"ptime": ("30",), "cli": ("431",)}
SHARED = {"ptime": ("20",), "codecs_list": ("PCMA", "G722"), "cc": ("43",)}


def test_the_layer_that_comes_first_decides() -> None:
    excerpts = Excerpts(["ptime", "codecs_list"])
    settings = excerpts.of(Preferences((OWN, {}, SHARED)))
    preferences = excerpts.preferences(settings)
    assert (preferences.number("ptime"), preferences.all("codecs_list")) == (30, ("PCMA", "G722"))
    assert preferences.text("cc") is preferences.text("cli") is None


def test_who_has_the_same_set_has_the_same_excerpt() -> None:
    excerpts = Excerpts(["ptime"])
    one, other = Preferences((OWN,)), Preferences(({"ptime": ("30",), "cc": ("1",)},))
    assert excerpts.of(one) == excerpts.of(other)
    assert hash(excerpts.of(one)) == hash(excerpts.of(other))


def test_a_layer_that_replaced_another_one_counts() -> None:
    excerpts = Excerpts(["ptime"])
    for value in map(str, range(50_000)):  # the memory of many layers that are no more
        assert excerpts.of(Preferences(({"ptime": (value,)},))) == (("ptime", (value,)),)
