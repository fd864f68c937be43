"""`ngcp-initial-configuration`: a node is told who it is, by a seed or by answers on its console."""

import io
import os
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ngcp.tools import initial, seed, wizard
from ngcp.tools.initial import Node
from ngcp.tools.plan import Interface, Plan, check_key

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEz1PT0gpPVKwyuOA4AkXMnhF0kfMN9nQqq0rRHYMQXq admin@laptop"
META = "instance-id: node-1\nlocal-hostname: sip1\n"
USER = f"""#cloud-config
ssh_authorized_keys:
  - {KEY}
ngcp:
  config:
    general:
      companyname: Ajax's
      adminmail: noc@example.org
    kamailio:
      lb:
        tls: {{enable: no}}
        dos_whitelisted_ips: [192.0.2.1, "192.0.2.2"]
    rtpproxy: {{minport: 32000}}
    vsc: {{cfu: "0072"}}
  interfaces:
    auto: {{ip: auto, type: [sip_ext, rtp_ext]}}
"""
NETWORK = """\
version: 2
ethernets:
  lan:
    match: {macaddress: "52:54:00:AB:CD:EF"}
    addresses: [192.0.2.10/24, "2001:db8::10/64"]
    gateway4: 192.0.2.1
    routes: [{to: "::/0", via: "2001:db8::1"}]
    nameservers: {addresses: [192.0.2.53], search: [example.org]}
    mtu: 1400
  ens4: {dhcp4: true}
"""
LAN = """\
# Made by ngcp-initial-configuration: run it again, or change this and `networkctl reload`.
[Match]
MACAddress=52:54:00:ab:cd:ef

[Link]
MTUBytes=1400

[Network]
DHCP=no
Address=192.0.2.10/24
Address=2001:db8::10/64
Gateway=192.0.2.1
Gateway=2001:db8::1
DNS=192.0.2.53
Domains=example.org
"""
LINKS = """[{"ifname": "lo", "link_type": "loopback", "addr_info": []},
{"ifname": "ens3", "link_type": "ether", "address": "52:54:00:00:00:01", "addr_info":
 [{"family": "inet", "local": "198.51.100.3", "prefixlen": 24, "scope": "global"}]}]"""


class Site:
    """A node below a directory, and programs that note how they were called."""

    def __init__(self, root: Path) -> None:
        self.root, self.bin, self.log = root / "node", root / "bin", root / "calls"
        self.node = Node(self.root)
        self.seed = self.root / "var/lib/cloud/seed/nocloud"
        for directory in (self.bin, self.seed, self.root / "etc"):
            directory.mkdir(parents=True)
        self.log.touch()
        names = ("hostname", "hostnamectl", "ngcpcfg", "ngcp-network", "networkctl", "systemctl", "udevadm")
        for name in names:
            self.install(name)
        self.install("ip", output=LINKS)

    def install(self, name: str, status: int = 0, output: str = "") -> None:
        program = self.bin / name
        program.write_text(f"#!/bin/sh\necho {name} \"$@\" >> {self.log}\necho '{output}'\nexit {status}\n")
        program.chmod(0o755)

    def sow(self, meta: str = META, user: str = USER, network: str = NETWORK) -> None:
        for name, text in ((seed.META, meta), (seed.USER, user), (seed.NETWORK, network)):
            (self.seed / name).write_text(text)

    def console(self) -> None:
        (self.root / "dev").mkdir(exist_ok=True)
        (self.root / "dev/tty0").touch()

    @property
    def calls(self) -> list[str]:
        """What was called, udev left out."""
        return [line for line in self.log.read_text().splitlines() if not line.startswith("udevadm")]

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def files(self) -> dict[str, str]:
        """Everything of the node but the seed."""
        found = (path for path in self.root.rglob("*") if path.is_file() and self.seed not in path.parents)
        return {str(path.relative_to(self.root)): path.read_text() for path in found}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    return made


def test_a_seed_gives_everything(site: Site) -> None:
    site.sow()

    assert initial.follow_seed(site.node) == os.EX_OK

    assert site.text("etc/hostname") == "sip1\n"
    assert site.text("etc/systemd/network/70-ngcp-52-54-00-ab-cd-ef.network") == LAN
    assert "Name=ens4\n\n[Network]\nDHCP=ipv4" in site.text("etc/systemd/network/70-ngcp-ens4.network")
    assert site.text("root/.ssh/authorized_keys") == f"{KEY}\n"
    assert stat.S_IMODE((site.root / "root/.ssh/authorized_keys").stat().st_mode) == 0o600
    assert site.calls == [
        "hostname sip1",
        "ngcp-network --set-interface=auto --ip=auto --type=sip_ext --type=rtp_ext",
        "ngcpcfg set config.yml general.companyname=\"Ajax's\" general.adminmail='noc@example.org'"
        " kamailio.lb.tls.enable=no kamailio.lb.dos_whitelisted_ips=['192.0.2.1', '192.0.2.2']"
        " rtpproxy.minport=32000 vsc.cfu='0072'",
        "ngcpcfg commit initial configuration",
    ]


def test_a_seed_is_used_once_and_another_machines_again(site: Site) -> None:
    site.sow(user="#cloud-config\n", network="")
    for _ in range(2):
        initial.follow_seed(site.node)
    assert site.calls == ["hostname sip1"]

    site.sow(META.replace("node-1", "node-2"), "#cloud-config\n", "")
    initial.follow_seed(site.node)
    assert site.calls == ["hostname sip1"] * 2


def test_keys_are_added_to_those_that_are_there(site: Site) -> None:
    other = KEY.replace("XMnh", "YMnh")
    (site.root / "root/.ssh").mkdir(parents=True)
    (site.root / "root/.ssh/authorized_keys").write_text(f"{other}\n{KEY}\n")
    site.sow()
    initial.follow_seed(site.node)

    assert site.text("root/.ssh/authorized_keys") == f"{other}\n{KEY}\n"


def test_what_is_not_read_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    user = f"{USER}  colour: red\nruncmd: [[rm, -r, /]]\npackages: [emacs]\n"
    network = NETWORK.replace("ens4: {", "ens4: {wakeonlan: true, ").replace(
        "version", "bridges: {}\nversion"
    )
    site.sow(f"{META}region: eu\n", user, network)
    initial.follow_seed(site.node)

    assert [line.split(" is not read")[0] for line in capsys.readouterr().out.splitlines()[:6]] == [
        "<4>meta-data: region",
        "<4>user-data: runcmd",
        "<4>user-data: packages",
        "<4>user-data: ngcp.colour",
        "<4>network-config: bridges",
        "<4>network-config: ethernets.ens4.wakeonlan",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("user-data", "#cloud-config", "#!/bin/sh", "user-data: its first line must be #cloud-config"),
        (
            "user-data",
            KEY,
            "ssh-ed25519 AAAA",
            "user-data: ssh_authorized_keys: 'ssh-ed25519 AAAA' is no public",
        ),
        (
            "user-data",
            "[sip_ext, rtp_ext]",
            "sip_ext",
            "user-data: ngcp.interfaces.auto.type: a list is expected",
        ),
        (
            "user-data",
            "{minport: 32000}",
            "[[1]]",
            "user-data: ngcp.config.rtpproxy: a word, a number or a list",
        ),
        (
            "user-data",
            "Ajax's",
            'Ajax\'s "own"',
            "general.companyname: one line without both kinds of quotes",
        ),
        ("user-data", "ngcp:", "ngcp: [", "user-data: not YAML"),
        ("meta-data", "sip1", "sip_1", "user-data: hostname: 'sip_1' is no host name"),
        (
            "network-config",
            "version: 2",
            "version: 1",
            "network-config: version: 2 is expected: version 1 is not",
        ),
        (
            "network-config",
            "192.0.2.10/24",
            "192.0.2.10",
            "ethernets.lan: '192.0.2.10' lacks its prefix length",
        ),
        (
            "network-config",
            "gateway4: 192.0.2.1",
            "gateway4: gw",
            "ethernets.lan: 'gw' does not appear to be",
        ),
        ("network-config", "dhcp4: true", "dhcp4: maybe", "ethernets.ens4.dhcp4: true or false is expected"),
        ("network-config", '"::/0"', "10.0.0.0/8", "ethernets.lan.routes: only a default route is read"),
        ("network-config", "mtu: 1400", "mtu: 99", "ethernets.lan: 99 is no MTU"),
        ("network-config", "{dhcp4: true}", "{}", "ethernets.ens4: an interface has addresses, or asks"),
    ],
)
def test_a_seed_that_is_wrong_changes_nothing_and_says_where(
    site: Site, name: str, old: str, new: str, complaint: str
) -> None:
    site.sow()
    text = (site.seed / name).read_text()
    assert old in text
    (site.seed / name).write_text(text.replace(old, new))

    with pytest.raises(seed.SeedError) as caught:
        initial.follow_seed(site.node)

    assert complaint in str(caught.value)
    assert (site.files(), site.calls) == ({}, [])


def test_a_value_that_ngcpcfg_refuses_leaves_the_seed_unused(site: Site) -> None:
    """Who wrote it can log in, for name, address and key are there; the next boot tries again."""
    site.sow()
    site.install("ngcpcfg", status=1)

    with pytest.raises(initial.Refused, match="`ngcpcfg set` ended with status 1"):
        initial.follow_seed(site.node)
    assert "root/.ssh/authorized_keys" in site.files()
    assert not site.node.done.exists()


def test_without_a_seed_the_console_asks_until_somebody_has_answered(site: Site) -> None:
    site.console()
    initial.follow_seed(site.node)
    assert site.calls == [f"systemctl --no-block start {initial.CONSOLE_UNIT}"]

    site.node.done.parent.mkdir(parents=True, exist_ok=True)
    site.node.done.write_text("answered on the console\n")
    initial.follow_seed(site.node)
    assert len(site.calls) == 1


def test_nobody_is_asked_who_cannot_answer_or_has_another_way_in(site: Site) -> None:
    """A container has no console; a machine that was started with root's key is somebody's already."""
    initial.follow_seed(site.node)
    site.console()
    key = site.root / "run/credentials/@system/ssh.authorized_keys.root"
    key.parent.mkdir(parents=True)
    key.write_text(KEY)
    initial.follow_seed(site.node)

    assert site.calls == []


def test_a_disk_with_the_label_is_looked_at_and_let_go(site: Site) -> None:
    label = site.root / "dev/disk/by-label"
    label.mkdir(parents=True)
    (label / "cidata").touch()
    sown = site.root / "sown"
    sown.mkdir()
    for name, text in ((seed.META, META), (seed.USER, "#cloud-config\n")):
        (sown / name).write_text(text)
    for name, script in (("mount", f"cp {sown}/* $3"), ("umount", "rm $1/*")):
        (site.bin / name).write_text(f"#!/bin/sh\necho {name} >> {site.log}\n{script}\n")
        (site.bin / name).chmod(0o755)

    assert initial.follow_seed(site.node) == os.EX_OK
    assert site.calls == ["mount", "umount", "hostname sip1"]


def answers(*lines: str) -> tuple[Plan | None, str]:
    speak = io.StringIO()
    return wizard.ask(io.StringIO("".join(f"{line}\n" for line in lines)), speak), speak.getvalue()


def test_the_wizard_asks_for_a_fixed_address(site: Site) -> None:
    plan, said = answers("", "192.0.2.10/24", "", "192.0.2.53, 192.0.2.54", "sip1", KEY, "yes")

    interface = Interface(
        "ens3", addresses=("192.0.2.10/24",), gateways=("192.0.2.1",), dns=("192.0.2.53", "192.0.2.54")
    )
    assert plan == Plan("sip1", (interface,), (KEY,))
    assert "ens3  52:54:00:00:00:01  198.51.100.3/24" in said
    assert "ssh         ssh-ed25519 …rRHYMQXq admin@laptop" in said


def test_who_only_presses_enter_gets_dhcp(site: Site) -> None:
    plan, _ = answers("", "", "sip1", "", "")

    assert plan == Plan("sip1", (Interface("ens3", dhcp4=True, dhcp6=True),))


def test_a_wrong_answer_is_asked_again(site: Site) -> None:
    plan, said = answers(
        *("eth9", "ens3", "192.0.2.10", "127.0.0.1/8", "192.0.2.10/24", "gateway", "none", "none"),
        *("my_node", "sip1", "-----BEGIN OPENSSH PRIVATE KEY-----", "none", "perhaps", "yes"),
    )

    assert plan is not None and plan.interfaces[0].gateways == ()
    for complaint in (
        "there is no interface 'eth9'; there are: ens3",
        "the prefix length is missing, as in 192.0.2.10/24",
        "127.0.0.1 is no address of a machine",
        "'my_node' is no host name",
        "a private key stays with its owner",
        "yes or no",
    ):
        assert f"  {complaint}" in said


@pytest.mark.parametrize("lines", [("", "", "sip1", "", "no"), ("", ""), ()])
def test_who_does_not_confirm_changes_nothing(site: Site, lines: tuple[str, ...]) -> None:
    assert answers(*lines)[0] is None


def test_answers_are_carried_out_and_the_node_follows(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"\n192.0.2.10/24\n\n\nsip1\n{KEY}\n\n"))

    assert initial.ask(site.node) == os.EX_OK

    assert site.calls[1:] == [
        "hostnamectl hostname sip1",
        "networkctl reload",
        "ngcpcfg apply initial configuration",
    ]
    assert site.text("var/lib/ngcp/initial-configuration") == "answered on the console\n"
    assert "https://192.0.2.10:1443/api/" in capsys.readouterr().out


def test_a_later_answer_replaces_the_earlier_one(site: Site) -> None:
    plans = [Plan(interfaces=(Interface(name, dhcp4=True),)) for name in ("ens3", "ens4")]
    for plan in plans:
        list(initial.carry_out(plan, site.node, is_booting=False))

    assert [path.name for path in site.node.networks.iterdir()] == ["70-ngcp-ens4.network"]


def test_a_seed_can_be_checked_before_it_is_used(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.sow()
    assert initial.main(["--check", str(site.seed)]) == 0
    assert capsys.readouterr().out == "the seed is right\n"

    (site.seed / seed.USER).write_text("ngcp: {}\n")
    assert initial.main(["--check", str(site.seed)]) == 1
    assert "user-data: its first line must be #cloud-config" in capsys.readouterr().err


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "ecdsa", "rsa"],
)
def test_keys_as_ssh_writes_them_are_keys(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
) -> None:
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    assert check_key(f"{public} me@here now\n") == f"{public} me@here now"
