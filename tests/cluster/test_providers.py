"""Where hosts come from: lists, names with several addresses, Slurm's notation."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.cluster.providers import MAX_HOSTS, Dns, expand_hosts, make_provider, with_port
from scalebox.config import ClusterConfig
from scalebox.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", []),
        ("tux", ["tux"]),
        ("tux1,tux2", ["tux1", "tux2"]),
        # Slurm::Hostlist(3), slurm_hostlist_create(3)
        ("linux[1-3,6]", ["linux1", "linux2", "linux3", "linux6"]),
        ("node1,node[2-5,12]", ["node1", "node2", "node3", "node4", "node5", "node12"]),
        ("node21 node[27-28]", ["node21", "node27", "node28"]),
        ("n[08-11]", ["n08", "n09", "n10", "n11"]),
        ("n[8-11]", ["n8", "n9", "n10", "n11"]),
        ("n[098-101]", ["n098", "n099", "n100", "n101"]),
        ("n[5]", ["n5"]),
        ("n[005]", ["n005"]),
        ("n[0-0]", ["n0"]),
        ("a[1-2]-ib0", ["a1-ib0", "a2-ib0"]),
        ("[1-2]", ["1", "2"]),
        ("r[1-2]c[01-02]", ["r1c01", "r1c02", "r2c01", "r2c02"]),
        ("r[1,3]s[7]n[0-1].cluster", ["r1s7n0.cluster", "r1s7n1.cluster", "r3s7n0.cluster",
                                       "r3s7n1.cluster"]),
        ("a[1-3,07-09],b[001-002]x[1-2]",
         ["a1", "a2", "a3", "a07", "a08", "a09", "b001x1", "b001x2", "b002x1", "b002x2"]),
        ("n[3,1,2]", ["n3", "n1", "n2"]),
        ("a,,b,", ["a", "b"]),
    ],
)  # fmt: skip
def test_a_node_list_is_expanded(text: str, hosts: list[str]) -> None:
    assert expand_hosts(text) == hosts


@pytest.mark.parametrize(
    "text",
    [
        "n[1-2", "n1-2]", "n[[1-2]]", "n[1-[2-3]]", "n[]", "n[a-b]", "n[1-]", "n[-2]", "n[3-1]",
        "n[1-2-3]", "n[1,,2]", "bgl[123x456]", "n[1-2]/etc", "http://n1", "n1:80", "ä[1-2]",
        "n[1-99999999999999999999]", f"n[1-{MAX_HOSTS + 1}]", "n[1-1000]m[1-1000]",
        "n[0-999]m[0-999]o[0-999]p[0-999]",
    ],
)  # fmt: skip
def test_what_is_no_node_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        expand_hosts(text)


def test_the_largest_list_there_can_be_is_taken() -> None:
    assert len(expand_hosts(f"n[1-{MAX_HOSTS}]")) == MAX_HOSTS


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab01[]-, ", max_size=30))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    try:
        hosts = expand_hosts(text)
    except ValueError:
        return
    assert all(host and not set(host) & set("[], ") for host in hosts)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "rack", "n-"]), st.integers(0, 1200), st.integers(0, 30),
                  st.integers(1, 5)),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_every_number_of_a_range_is_there_as_wide_as_the_first(
    ranges: list[tuple[str, int, int, int]],
) -> None:
    text = ",".join(f"{name}[{low:0{width}}-{low + more}]" for name, low, more, width in ranges)
    expected = [
        f"{name}{number:0{width}}"
        for name, low, more, width in ranges
        for number in range(low, low + more + 1)
    ]
    assert expand_hosts(text) == expected


@pytest.mark.parametrize(
    ("seed", "address"),
    [
        ("judge-01", "judge-01:8766"),
        ("judge-01:9000", "judge-01:9000"),
        ("10.0.0.1", "10.0.0.1:8766"),
        ("fd00::1", "[fd00::1]:8766"),
        ("[fd00::1]", "[fd00::1]:8766"),
        ("[fd00::1]:9000", "[fd00::1]:9000"),
    ],
)
async def test_seeds_need_no_port(seed: str, address: str) -> None:
    assert with_port(seed, 8766) == address
    assert await make_provider(ClusterConfig(seeds=(seed,))).seeds() == [address]


@pytest.mark.parametrize(
    "seed", ["judge:port", "judge:", ":1", "judge:0", "judge:70000", "[fd00::1"]
)
def test_seeds_that_are_no_addresses_are_refused(seed: str) -> None:
    with pytest.raises(ConfigError, match=r"cluster\.seeds"):
        make_provider(ClusterConfig(seeds=(seed,)))


async def test_slurm_gives_the_nodes_of_the_job() -> None:
    config = ClusterConfig(provider="slurm", seeds=("login", "n2"), port=9)
    found = await make_provider(config, {"SLURM_JOB_NODELIST": "n[1-3]"}).seeds()
    assert found == ["login:9", "n2:9", "n1:9", "n3:9"]
    older = await make_provider(config, {"SLURM_NODELIST": "n[4-5]"}).seeds()
    assert older == ["login:9", "n2:9", "n4:9", "n5:9"]


def test_slurm_without_a_job_or_with_nonsense_is_refused() -> None:
    config = ClusterConfig(provider="slurm")
    with pytest.raises(ConfigError, match="srun"):
        make_provider(config, {})
    with pytest.raises(ConfigError, match=r"SLURM_JOB_NODELIST.*n\[1"):
        make_provider(config, {"SLURM_JOB_NODELIST": "n[1"})


async def test_dns_gives_every_address_of_a_name_once() -> None:
    config = ClusterConfig(provider="dns", dns_name="localhost", port=77, seeds=("judge-01",))
    records = socket.getaddrinfo("localhost", 77, type=socket.SOCK_STREAM)
    hosts = dict.fromkeys(str(record[4][0]) for record in records)
    expected = [f"[{host}]:77" if ":" in host else f"{host}:77" for host in hosts]
    assert await make_provider(config).seeds() == ["judge-01:77", *expected]


async def test_while_a_name_does_not_resolve_the_former_addresses_are_given() -> None:
    provider = Dns("127.0.0.1", 77, ["judge-01:77"])
    assert await provider.seeds() == ["judge-01:77", "127.0.0.1:77"]
    provider._name = "a..b"  # no name, for any resolver
    for _ in range(2):
        assert await provider.seeds() == ["judge-01:77", "127.0.0.1:77"]
    provider._name = "127.0.0.2"
    assert await provider.seeds() == ["judge-01:77", "127.0.0.2:77"]


async def test_a_name_that_has_no_address_yet_gives_none() -> None:
    assert await Dns("a..b", 77, []).seeds() == []


def test_dns_needs_a_name() -> None:
    with pytest.raises(ConfigError, match=r"cluster\.dns_name"):
        make_provider(ClusterConfig(provider="dns"))
