"""`X.patchtt.j2`: an operator's change that survives new versions of the template."""

from temporary_node import RELAY, RELAY_ENV, TemporaryNode

PATCH = RELAY_ENV.replace(".j2", ".patchtt.j2")
CUSTOM = RELAY_ENV.replace(".j2", ".customtt.j2")
TARGET = "/etc/default/ngcp-rtpengine-daemon"
DIFF = """\
--- ngcp-rtpengine-daemon.j2
+++ ngcp-rtpengine-daemon.customtt.j2
@@ -1,3 +1,4 @@
 PORT_MIN=[%= rtpproxy.minport %]
 PORT_MAX=[%= rtpproxy.maxport %]
 TOS=[%= qos.tos_rtp %]
+TIMEOUT=30
"""


def test_build_applies_a_patch(node: TemporaryNode) -> None:
    node.write(node.main, {PATCH: DIFF})

    result = node.run("apply", "shorter time-out")

    assert result.status == 0
    assert f"Generating {node.main}/{CUSTOM}: OK" in result.out
    assert node.rendered(TARGET).endswith("TOS=184\nTIMEOUT=30\n")


def test_patch_survives_a_new_version_of_the_template(node: TemporaryNode) -> None:
    node.write(node.main, {PATCH: DIFF})
    node.run("apply", "shorter time-out")
    node.deploy({RELAY_ENV: "# A new head.\n" + RELAY})

    assert node.run("apply", "new version").status == 0
    assert node.rendered(TARGET).startswith("# A new head.\n")
    assert node.rendered(TARGET).endswith("TIMEOUT=30\n")


def test_patch_that_does_not_fit_stops_the_build(node: TemporaryNode) -> None:
    node.write(node.main, {PATCH: DIFF})
    node.deploy({RELAY_ENV: "PORTS=[%= rtpproxy.minport %]-[%= rtpproxy.maxport %]\n"})
    before = node.snapshot()

    result = node.run("apply", "new version")

    assert result.status == 1
    assert f"{PATCH}: does not fit ngcp-rtpengine-daemon.j2: " in result.err
    assert node.snapshot() == before


def test_patch_of_a_template_that_is_not_there(node: TemporaryNode) -> None:
    node.write(node.main, {PATCH.replace("rtpengine", "nothing"): DIFF})

    assert "there is no ngcp-nothing-daemon.j2 that it could change" in node.run("patch").err


def test_patch_from_customtt(node: TemporaryNode) -> None:
    node.write(node.main, {CUSTOM: RELAY + "TIMEOUT=30\n"})

    result = node.run("patch", "--from-customtt")

    assert result.last == "Changed: 1 file."
    assert (node.main / PATCH).read_text() == DIFF
    assert node.run("patch").out == "Nothing changed.\n"


def test_patch_of_a_name_that_means_none(node: TemporaryNode) -> None:
    assert node.run("patch", "nowhere").err == "Error: no file *.patchtt.* matches nowhere\n"
