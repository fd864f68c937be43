"""Scripts before a template is rendered and after its file was replaced."""

from temporary_node import RELAY_ENV, TemporaryNode

BESIDE = RELAY_ENV.removesuffix(".j2")
WIDE = "templates/etc/kamailio/lb/ngcpcfg"


def log(node: TemporaryNode) -> list[str]:
    path = node.root / "hooks.log"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_scripts_are_told_the_file(node: TemporaryNode) -> None:
    script = 'echo "{} $output_file" >>"$NODE/hooks.log"\n'
    node.write(node.main, {f"{BESIDE}.{kind}": script.format(kind) for kind in ("prebuild", "postbuild")})
    node.write(node.main, {f"{WIDE}.prebuild": script.format("wide")})
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    assert node.run("build").status == 0

    relay, lb = f"{node.output}/etc/default/ngcp-rtpengine-daemon", f"{node.output}/etc/kamailio/lb/lb.yml"
    assert log(node) == [f"prebuild {relay}", f"wide {lb}", f"postbuild {relay}"]
    node.run("build")
    assert log(node) == [f"prebuild {relay}", f"wide {lb}"]  # nothing was replaced


def test_prebuild_that_fails_stops_the_build(node: TemporaryNode) -> None:
    node.write(node.main, {f"{BESIDE}.prebuild": "exit 3\n"})
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 96")

    result = node.run("build")

    assert result.status == 1
    assert "prebuild: ended with status 3 for /etc/default/ngcp-rtpengine-daemon" in result.err
    assert "TOS=184" in node.rendered("/etc/default/ngcp-rtpengine-daemon")


def test_a_dry_run_runs_none(node: TemporaryNode) -> None:
    node.write(node.main, {f"{BESIDE}.prebuild": 'echo run >>"$NODE/hooks.log"\n'})

    assert node.run("build", "--dry-run").status == 0
    assert log(node) == []
