"""Call forwards over REST, and what the proxy sees of them."""

from typing import Any

import pytest

from api.conftest import SHOW, Api
from api.test_refusals import INJECTIONS
from ngcp.provisioning.runtime import Destination, Forward, PatternSet, Period

BOX = "sip:vmu4311001@voicebox.local"


@pytest.fixture
def alice(api: Api, customer: int) -> int:
    number = {"cc": "43", "ac": "1", "sn": "1001"}
    return int(api.subscriber("alice", customer, primary_number=number)["id"])


@pytest.fixture
def bob(api: Api, customer: int, alice: int) -> int:
    return int(api.subscriber("bob", customer)["id"])


def put(api: Api, path: str, **fields: object) -> dict[str, Any]:
    response = api.ask("PUT", path, json=fields, headers=SHOW)
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


def refusal(api: Api, method: str, path: str, **fields: object) -> str:
    response = api.ask(method, path, json=fields)
    assert response.status_code == 422, response.text
    return str(response.json()["message"])


def forwards(api: Api, username: str = "alice") -> tuple[Forward, ...]:
    seen = api.subscriber_seen(username)
    assert seen is not None
    return seen.forwards


OF_FORWARDS = "attribute LIKE 'cf_' OR attribute = 'ringtimeout'"


def preferences(api: Api) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    query = f"SELECT attribute, value FROM kamailio.usr_preferences WHERE {OF_FORWARDS}"
    for attribute, value in api.database.run(query):
        found.setdefault(str(attribute), set()).add(str(value))
    return found


def to(uri: str, timeout: float = 300.0) -> tuple[Destination, ...]:
    return (Destination(uri, timeout),)


class TestInOnePiece:
    def test_nobody_has_any_at_first(self, api: Api, alice: int) -> None:
        content = api.get(f"/api/callforwards/{alice}")
        assert content["subscriber_id"] == alice
        assert content["cfu"]["destinations"] == content["cfo"]["destinations"] == []
        assert content["_links"]["ngcp:subscribers"] == {"href": f"/api/subscribers/{alice}"}
        assert forwards(api) == ()

    def test_what_is_put_is_what_the_proxy_sees(self, api: Api, alice: int) -> None:
        content = put(
            api,
            f"/api/callforwards/{alice}",
            cfu={
                "destinations": [
                    {"destination": "voicebox", "priority": 2},
                    {"destination": "+4312002", "timeout": 20, "priority": 1},
                ],
                "times": [{"wday": "2-6", "hour": "8-17", "minute": None}, {"wday": 7}],
                "sources": [{"source": "4312*"}, {"source": "anonymous"}],
                "sources_mode": "blacklist",
                "bnumbers": [{"bnumber": "^4311"}],
                "bnumbers_is_regex": True,
                "use_redirection": True,
            },
            cft={"destinations": [{"destination": "sip:bob@example.net"}], "ringtimeout": 15},
        )

        assert [one["destination"] for one in content["cfu"]["destinations"]] == [
            "sip:4312002@example.org",
            "voicebox",
        ]
        assert content["cfu"]["destinations"][0]["simple_destination"] == "4312002"
        assert content["cft"]["ringtimeout"] == 15
        assert forwards(api) == (
            Forward(
                "cfu",
                to("sip:4312002@example.org", 20.0) + to(BOX),
                (Period(wday="2-6", hour="8-17"), Period(wday="7")),
                PatternSet(("4312*", "anonymous"), is_whitelist=False),
                PatternSet(("^4311",), is_regex=True),
                True,
            ),
            Forward("cft", to("sip:bob@example.net")),
        )

    def test_preferences_are_kept_in_step(self, api: Api, alice: int) -> None:
        path = f"/api/callforwards/{alice}"
        put(api, path, cfb={"destinations": [{"destination": "voicebox"}]}, cft={"ringtimeout": 9})
        ((mapping,),) = api.database.run("SELECT id FROM provisioning.voip_cf_mappings")
        assert preferences(api) == {"cfb": {str(mapping)}, "ringtimeout": {"9"}}
        assert api.database.run(
            "SELECT p.attribute, u.value FROM provisioning.voip_usr_preferences u"
            " JOIN provisioning.voip_preferences p ON p.id = u.attribute_id"
            f" WHERE {OF_FORWARDS} ORDER BY p.attribute"
        ) == [("cfb", str(mapping)), ("ringtimeout", "9")]
        assert api.ask("DELETE", path).status_code == 204
        assert preferences(api) == {}

    def test_the_busy_have_a_greeting_of_their_own(self, api: Api, alice: int) -> None:
        put(api, f"/api/callforwards/{alice}", cfb={"destinations": [{"destination": "voicebox"}]})
        assert forwards(api) == (Forward("cfb", to("sip:vmb4311001@voicebox.local")),)

    def test_who_has_no_number_has_his_uuid(self, api: Api, bob: int) -> None:
        put(api, f"/api/callforwards/{bob}", cfu={"destinations": [{"destination": "conference"}]})
        uuid = api.get(f"/api/subscribers/{bob}")["uuid"]
        assert forwards(api, "bob") == (Forward("cfu", to(f"sip:conf={uuid}@conference.local")),)

    def test_services_follow_the_number(self, api: Api, alice: int) -> None:
        leads = [{"destination": word} for word in ("voicebox", "conference", "4311001@example.net")]
        put(api, f"/api/callforwards/{alice}", cfu={"destinations": leads}, cfb={"destinations": leads[:1]})
        api.change(f"/api/subscribers/{alice}", primary_number={"cc": "43", "ac": "1", "sn": "2"})
        assert {one.uri for forward in forwards(api) for one in forward.destinations} == {
            "sip:vmu4312@voicebox.local",
            "sip:vmb4312@voicebox.local",
            "sip:conf=4312@conference.local",
            "sip:4311001@example.net",
        }

    def test_what_was_read_can_be_put(self, api: Api, alice: int) -> None:
        path = f"/api/callforwards/{alice}"
        put(
            api,
            path,
            cfna={"destinations": [{"destination": "voicebox"}], "times": [{"hour": "22-6"}]},
            cft={"ringtimeout": 30},
        )
        before, seen = api.get(path), forwards(api)
        assert put(api, path, **before) == before
        assert forwards(api) == seen

    def test_one_part_is_patched(self, api: Api, alice: int) -> None:
        path = f"/api/callforwards/{alice}"
        add = [{"op": "add", "path": "/cfu/destinations/-", "value": {"destination": "bob"}}]
        assert api.patch(path, add).status_code == 200
        assert api.change(path, **{"cfu/enabled": False}).status_code == 200
        assert api.get(path)["cfu"]["enabled"] is False
        assert forwards(api) == ()
        api.change(path, **{"cfu/enabled": True, "cfu/destinations/0/timeout": 5})
        assert forwards(api) == (Forward("cfu", to("sip:bob@example.org", 5.0)),)

    def test_nothing_stays_behind(self, api: Api, alice: int) -> None:
        path = f"/api/callforwards/{alice}"
        forward = {
            "destinations": [{"destination": "bob"}],
            "times": [{"hour": "1"}],
            "sources": [{"source": "1"}],
            "bnumbers": [{"bnumber": "1"}],
        }
        put(api, path, cfu=forward, cfs=forward)
        put(api, path, cfs=forward)
        assert [one.kind for one in forwards(api)] == ["cfs"]
        for kind in ("destination", "time", "source", "bnumber"):
            assert api.database.run(f"SELECT name FROM provisioning.voip_cf_{kind}_sets") == [
                ("quickset_cfs",)
            ]
        api.ask("DELETE", f"/api/subscribers/{alice}")
        assert api.database.run("SELECT COUNT(*) FROM provisioning.voip_cf_destinations") == [(0,)]
        assert api.database.run("SELECT COUNT(*) FROM provisioning.voip_cf_mappings") == [(0,)]

    def test_several_of_a_kind_are_not_replaced_by_one(self, api: Api, alice: int) -> None:
        number = api.make("cfdestinationsets", subscriber_id=alice, name="a", destinations=[])["id"]
        twice = [{"destinationset_id": number}] * 2
        put(api, f"/api/cfmappings/{alice}", cfu=twice)
        path = f"/api/callforwards/{alice}"
        message = refusal(api, "PUT", path, cfu={"destinations": [{"destination": "bob"}]})
        assert "field='cfu'" in message
        assert "cfmappings" in message
        api.change(path, **{"cfb/destinations": [{"destination": "bob"}]})
        assert len(api.get(f"/api/cfmappings/{alice}")["cfu"]) == 2

    @pytest.mark.parametrize(
        ("kind", "forward", "field"),
        [
            ("cfu", {"destinations": [{"destination": "two words"}]}, "cfu.destinations.0.destination"),
            ("cfu", {"destinations": [{"destination": ""}]}, "cfu.destinations.0.destination"),
            ("cfb", {"destinations": [{"destination": "alice"}]}, "cfb.destinations.0.destination"),
            ("cfb", {"destinations": [{"destination": "+4311001"}]}, "cfb.destinations.0.destination"),
            ("cfu", {"destinations": [{"destination": "bob", "timeout": 0}]}, "cfu.destinations.0.timeout"),
            ("cfu", {"destinations": [{"destination": "bob", "x": 0}]}, "cfu.destinations.0.x"),
            ("cfna", {"times": [{"hour": "8"}]}, "cfna.destinations"),
            ("cft", {"ringtimeout": 0}, "cft.ringtimeout"),
            ("cfu", {"ringtimeout": 5}, "cfu.ringtimeout"),
            ("cfx", {}, "cfx"),
        ],
    )
    def test_what_is_refused(self, api: Api, alice: int, kind: str, forward: object, field: str) -> None:
        message = refusal(api, "PUT", f"/api/callforwards/{alice}", **{kind: forward})
        assert f"field='{field}'" in message
        assert forwards(api) == ()

    @pytest.mark.parametrize(
        ("limit", "field"),
        [
            ({"times": [{"hour": "24"}]}, "cfu.times.0.hour"),
            ({"times": [{"wday": "mon"}]}, "cfu.times.0.wday"),
            ({"times": [{"second": "1"}]}, "cfu.times.0.second"),
            ({"sources": [{"source": "("}], "sources_is_regex": True}, "cfu.sources.0.source"),
            ({"bnumbers": [{"bnumber": "(a+)+b"}], "bnumbers_is_regex": True}, "cfu.bnumbers.0.bnumber"),
            ({"sources_mode": "greylist"}, "cfu.sources_mode"),
        ],
    )
    def test_a_bad_limit_is_refused(self, api: Api, alice: int, limit: dict[str, Any], field: str) -> None:
        forward = {"destinations": [{"destination": "bob"}]} | limit
        assert f"field='{field}'" in refusal(api, "PUT", f"/api/callforwards/{alice}", cfu=forward)

    def test_an_announcement_must_be_there(self, api: Api, alice: int) -> None:
        forward = {"destinations": [{"destination": "customhours", "announcement_id": 4_000_000_000}]}
        assert "announcement_id" in refusal(api, "PUT", f"/api/callforwards/{alice}", cfu=forward)
        ((handle,),) = api.database.run("SELECT MIN(id) FROM provisioning.voip_sound_handles")
        forward["destinations"][0]["announcement_id"] = int(str(handle))
        put(api, f"/api/callforwards/{alice}", cfu=forward)
        assert forwards(api)[0].destinations[0].announcement == handle


class TestBySets:
    def make(self, api: Api, resource: str, subscriber: int, **fields: object) -> int:
        return int(api.make(resource, subscriber_id=subscriber, name="office", **fields)["id"])

    def test_sets_make_a_mapping(self, api: Api, alice: int) -> None:
        bob = [{"destination": "bob"}]
        number = self.make(api, "cfdestinationsets", alice, destinations=bob)
        self.make(api, "cftimesets", alice, times=[{"hour": "8-17"}])
        self.make(api, "cfsourcesets", alice, sources=[{"source": "4312*"}])
        self.make(api, "cfbnumbersets", alice, mode="blacklist", bnumbers=[{"bnumber": "4311001"}])
        mapping = {"timeset": "office", "sourceset": "office", "bnumberset": "office"}
        content = put(
            api,
            f"/api/cfmappings/{alice}",
            cfna=[{"destinationset_id": number, **mapping}, {"destinationset": "office", "enabled": False}],
            cft_ringtimeout=25,
        )
        assert content["cfna"][0]["destinationset"] == "office"
        assert content["cfna"][0]["timeset_id"] is not None
        assert content["cft_ringtimeout"] == 25
        assert forwards(api) == (
            Forward(
                "cfna",
                to("sip:bob@example.org"),
                (Period(hour="8-17"),),
                PatternSet(("4312*",)),
                PatternSet(("4311001",), is_whitelist=False),
            ),
        )
        assert put(api, f"/api/cfmappings/{alice}", **content) == content

    def test_a_changed_set_is_seen_at_once(self, api: Api, alice: int) -> None:
        number = self.make(api, "cfdestinationsets", alice, destinations=[{"destination": "bob"}])
        put(api, f"/api/cfmappings/{alice}", cfu=[{"destinationset_id": number}])
        api.registrar.announced.clear()
        api.change(f"/api/cfdestinationsets/{number}", destinations=[{"destination": "voicebox"}])
        assert api.registrar.announced == [{"alice@example.org"}]
        assert forwards(api) == (Forward("cfu", to(BOX)),)

    def test_a_set_shows_where_it_leads(self, api: Api, alice: int) -> None:
        members = [{"destination": "voicebox"}, {"destination": "4312002"}]
        number = self.make(api, "cfdestinationsets", alice, destinations=members)
        shown = api.get(f"/api/cfdestinationsets/{number}")["destinations"]
        assert [(one["destination"], one["simple_destination"]) for one in shown] == [
            (BOX, None),
            ("sip:4312002@example.org", "4312002"),
        ]

    def test_empty_sets(self, api: Api, alice: int) -> None:
        """Nothing is in an empty whitelist, everything outside an empty blacklist, no time in no period."""
        put(api, f"/api/callforwards/{alice}", cfu={"destinations": [{"destination": "bob"}]})
        self.make(api, "cftimesets", alice)
        self.make(api, "cfsourcesets", alice)
        self.make(api, "cfbnumbersets", alice, mode="blacklist")
        mapping = {"timeset": "office", "sourceset": "office", "bnumberset": "office"}
        put(api, f"/api/cfmappings/{alice}", cfu=[{"destinationset": "quickset_cfu", **mapping}])
        assert forwards(api) == (
            Forward("cfu", to("sip:bob@example.org"), (), PatternSet(()), PatternSet((), is_whitelist=False)),
        )

    @pytest.mark.parametrize("kind", ["time", "source", "bnumber"])
    def test_a_limit_in_use_is_not_removed(self, api: Api, alice: int, kind: str) -> None:
        """Without it the forward would hold always."""
        self.make(api, "cfdestinationsets", alice, destinations=[{"destination": "bob"}])
        number = self.make(api, f"cf{kind}sets", alice)
        put(api, f"/api/cfmappings/{alice}", cfu=[{"destinationset": "office", f"{kind}set": "office"}])
        assert api.ask("DELETE", f"/api/cf{kind}sets/{number}").status_code == 423
        put(api, f"/api/cfmappings/{alice}", cfu=[])
        assert api.ask("DELETE", f"/api/cf{kind}sets/{number}").status_code == 204

    def test_mappings_go_with_their_destinations(self, api: Api, alice: int) -> None:
        number = self.make(api, "cfdestinationsets", alice, destinations=[{"destination": "bob"}])
        put(api, f"/api/cfmappings/{alice}", cfu=[{"destinationset": "office"}])
        assert api.ask("DELETE", f"/api/cfdestinationsets/{number}").status_code == 204
        assert forwards(api) == ()
        assert preferences(api) == {}

    @pytest.mark.parametrize(
        ("field", "resource"),
        [
            ("destinationset", "cfdestinationsets"),
            ("timeset", "cftimesets"),
            ("sourceset", "cfsourcesets"),
            ("bnumberset", "cfbnumbersets"),
        ],
    )
    def test_sets_of_others_are_not_there(
        self, api: Api, alice: int, bob: int, field: str, resource: str
    ) -> None:
        self.make(api, "cfdestinationsets", alice)
        number = int(api.make(resource, subscriber_id=bob, name="bobs")["id"])
        for name, value in ((f"{field}_id", number), (field, "bobs")):
            mapping = {"destinationset": "office", name: value}
            message = refusal(api, "PUT", f"/api/cfmappings/{alice}", cfu=[mapping])
            assert f"field='cfu.0.{name}'" in message
            assert "another subscriber's" in message

    def test_a_mapping_needs_a_destination(self, api: Api, alice: int) -> None:
        message = refusal(api, "PUT", f"/api/cfmappings/{alice}", cfb=[{}])
        assert "field='cfb.0.destinationset_id'" in message

    @pytest.mark.parametrize(
        ("resource", "fields", "field"),
        [
            ("cfdestinationsets", {"destinations": [{"destination": "a b"}]}, "destinations.0.destination"),
            ("cfdestinationsets", {"destinations": [{"destination": "alice"}]}, "destinations.0.destination"),
            ("cftimesets", {"times": [{}, {"mday": "32"}]}, "times.1.mday"),
            ("cfsourcesets", {"is_regex": True, "sources": [{"source": "["}]}, "sources.0.source"),
            ("cfbnumbersets", {"is_regex": True, "bnumbers": [{"bnumber": "["}]}, "bnumbers.0.bnumber"),
            ("cfbnumbersets", {"name": ""}, "name"),
            ("cfbnumbersets", {"subscriber_id": 4_000_000_000}, "subscriber_id"),
        ],
    )
    def test_a_bad_set_is_refused(
        self, api: Api, alice: int, resource: str, fields: dict[str, Any], field: str
    ) -> None:
        given = {"subscriber_id": alice, "name": "a"} | fields
        assert f"field='{field}'" in api.refused(resource, 422, **given)

    def test_a_name_is_there_once(self, api: Api, alice: int, bob: int) -> None:
        self.make(api, "cftimesets", alice)
        self.make(api, "cftimesets", bob)
        assert "field='name'" in api.refused("cftimesets", 422, subscriber_id=alice, name="office")

    @pytest.mark.parametrize("text", [*INJECTIONS[:-2], "%s%(x)s{}", "\\' OR 1=1 -- "])
    def test_sql_stays_text(self, api: Api, alice: int, text: str) -> None:
        made = api.make("cfsourcesets", subscriber_id=alice, name=text, sources=[{"source": text}])
        assert (made["name"], made["sources"]) == (text, [{"source": text}])
        self.make(api, "cfdestinationsets", alice, destinations=[{"destination": "bob"}])
        put(api, f"/api/cfmappings/{alice}", cfu=[{"destinationset": "office", "sourceset": text}])
        (forward,) = forwards(api)
        assert forward.sources == PatternSet((text,))
        for resource in ("callforwards", "cfmappings", "speeddials", "cfsourcesets"):
            response = api.ask("GET", f"/api/{resource}/", params={"subscriber_id": text})
            assert response.status_code == 400
        response = api.ask("PUT", f"/api/speeddials/{alice}", json={"speeddials": [{"slot": text}]})
        assert response.status_code == 422

    def test_lists_are_filtered(self, api: Api, alice: int, bob: int) -> None:
        for owner in (alice, bob):
            for name in ("day", "night"):
                api.make("cftimesets", subscriber_id=owner, name=name, times=[{"hour": "1"}])
        content = api.get(f"/api/cftimesets/?subscriber_id={bob}&name=n*&order_by=name")
        (found,) = content["_embedded"]["ngcp:cftimesets"]
        assert (found["subscriber_id"], found["name"]) == (bob, "night")
        assert found["times"] == [
            {"year": None, "month": None, "mday": None, "wday": None, "hour": "1", "minute": None}
        ]
        content = api.get(f"/api/callforwards/?subscriber_id={bob}")
        assert [one["id"] for one in content["_embedded"]["ngcp:callforwards"]] == [bob]

    def test_a_set_stays_with_its_subscriber(self, api: Api, alice: int, bob: int) -> None:
        number = self.make(api, "cftimesets", alice)
        response = api.change(f"/api/cftimesets/{number}", subscriber_id=bob)
        assert response.status_code == 422
        assert "field='subscriber_id'" in response.json()["message"]
