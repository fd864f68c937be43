// SPDX-License-Identifier: GPL-2.0-or-later
// The media relay's fast path in the kernel: UDP datagrams that fit a flow leave again where they came in, with
// other addresses, ports and TOS. src/ngcp/rtpengine/ebpf.py loads it and fills `flows`.
//
// Whatever is in doubt passes, untouched, to the daemon's socket, which knows better or drops it.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PASS TC_ACT_UNSPEC // to programs after us, then on as if we were not there
#define AF_INET 2
#define AF_INET6 10
#define LOOPBACK 1 // the interface's index, in every network namespace
#define NOT_FIRST_OR_NOT_LAST 0x3fff // more fragments, or an offset (RFC 791 §3.1)
#define HOPS 64 // what leaves is our packet: the time to live of our sockets' packets

// Flags of a flow
#define ONLY_RTP 1 // RTCP passes (RFC 5761 §4)
#define GUARDED 2 // all but RTP and RTCP passes (RFC 7983 §7)

struct endpoint {
	__be32 address[4]; // of IPv4 the first, then zeros
	__be16 port;
	__u16 family;
};

struct flow {
	struct endpoint expect_from;
	struct endpoint send_from;
	struct endpoint send_to;
	__u16 tos;
	__u16 flags;
	// what was forwarded
	__u64 packets;
	__u64 bytes; // of payload
	__u64 last; // ns, on the monotonic clock
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct endpoint);
	__type(value, struct flow);
} flows SEC(".maps");

// Make at least `size` bytes readable in one piece.
static __always_inline int pull(struct __sk_buff *skb, __u32 size)
{
	if ((long)skb->data + size <= (long)skb->data_end)
		return 1;
	return skb->len >= size && bpf_skb_pull_data(skb, size) == 0;
}

// Ask for the way of a packet that this machine sends: 0 and the next hop in `way`, or why there is none.
//
// Packets to ourselves have none here. The kernel wants `forwarding` of the interface that a packet comes from;
// as ours count as sent by this machine, that is the loopback interface, on which nothing needs forwarding.
static __always_inline long find_way(struct __sk_buff *skb, struct bpf_fib_lookup *way)
{
	way->l4_protocol = IPPROTO_UDP;
	way->ifindex = LOOPBACK;
	return bpf_fib_lookup(skb, way, sizeof(*way), BPF_FIB_LOOKUP_SKIP_NEIGH);
}

static __always_inline int is_equal(const struct endpoint *one, const struct endpoint *other)
{
	return one->address[0] == other->address[0] && one->address[1] == other->address[1] &&
	       one->address[2] == other->address[2] && one->address[3] == other->address[3] &&
	       one->port == other->port;
}

// Whether the flow is for such a packet, by the first two bytes of its payload.
static __always_inline int is_wanted(const struct flow *flow, const __u8 *payload)
{
	if (flow->flags & GUARDED && (payload[0] & 0xc0) != 0x80)
		return 0;
	return !(flow->flags & ONLY_RTP && payload[1] >= 192 && payload[1] <= 223);
}

static __always_inline void count(struct flow *flow, __u16 udp_length)
{
	__sync_fetch_and_add(&flow->packets, 1);
	__sync_fetch_and_add(&flow->bytes, udp_length - sizeof(struct udphdr));
	flow->last = bpf_ktime_get_coarse_ns();
}

// Return how a sum changes when words of it do (RFC 1624 §3), in 32 bits.
static __always_inline __u32 change(const __be32 *before, const __be32 *after, int words)
{
	__u64 sum = 0;

	for (int i = 0; i < words; i++)
		sum += (__u64)after[i] + (__u32)~before[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

// Put our ports into the header and return how its sum changes.
static __always_inline __u32 rewrite_ports(struct udphdr *udp, const struct flow *flow)
{
	__be32 before = *(__be32 *)udp;

	udp->source = flow->send_from.port;
	udp->dest = flow->send_to.port;
	return change(&before, (__be32 *)udp, 1);
}

// Make the checksum of UDP fit other addresses and ports, whether it is finished or left to a device.
static __always_inline void mend(struct __sk_buff *skb, __u32 at_udp, __u32 addresses, __u32 ports)
{
	// One of 0 is none and stays so; IPv6 packets without one do not come here.
	at_udp += offsetof(struct udphdr, check);
	bpf_l4_csum_replace(skb, at_udp, 0, addresses, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
	bpf_l4_csum_replace(skb, at_udp, 0, ports, BPF_F_MARK_MANGLED_0);
}

static __always_inline int send(const struct bpf_fib_lookup *way)
{
	struct bpf_redir_neigh hop = {.nh_family = way->family};

	if (way->family == AF_INET)
		hop.ipv4_nh = way->ipv4_dst;
	else
		__builtin_memcpy(hop.ipv6_nh, way->ipv6_dst, 16);
	// Through the table of neighbours, which learns, waits and asks as for any packet of ours.
	return bpf_redirect_neigh(way->ifindex, &hop, sizeof(hop), 0);
}

static __always_inline int relay4(struct __sk_buff *skb)
{
	const __u32 at_udp = ETH_HLEN + sizeof(struct iphdr);
	struct endpoint local = {.family = AF_INET}, source = {.family = AF_INET};
	struct bpf_fib_lookup way = {.family = AF_INET};
	struct iphdr *ip, before;
	struct udphdr *udp;
	struct flow *flow;
	__u32 addresses, ports;
	__u16 length;

	if (!pull(skb, at_udp + sizeof(*udp) + 2))
		return PASS;
	ip = (void *)(long)skb->data + ETH_HLEN;
	udp = (void *)(ip + 1);
	if ((void *)(udp + 1) + 2 > (void *)(long)skb->data_end)
		return PASS;
	length = bpf_ntohs(udp->len);
	if (ip->version != 4 || ip->ihl != 5 || ip->protocol != IPPROTO_UDP ||
	    ip->frag_off & bpf_htons(NOT_FIRST_OR_NOT_LAST) || length < sizeof(*udp) + 2 ||
	    bpf_ntohs(ip->tot_len) != sizeof(*ip) + length || skb->len < at_udp + length)
		return PASS;

	local.address[0] = ip->daddr;
	local.port = udp->dest;
	flow = bpf_map_lookup_elem(&flows, &local);
	if (!flow)
		return PASS;
	source.address[0] = ip->saddr;
	source.port = udp->source;
	if (!is_equal(&source, &flow->expect_from) || !is_wanted(flow, (void *)(udp + 1)))
		return PASS;

	way.tos = flow->tos;
	way.tot_len = sizeof(*ip) + length;
	way.ipv4_src = flow->send_from.address[0];
	way.ipv4_dst = flow->send_to.address[0];
	way.sport = flow->send_from.port;
	way.dport = flow->send_to.port;
	if (find_way(skb, &way) != BPF_FIB_LKUP_RET_SUCCESS)
		return PASS;

	before = *ip;
	ip->tos = flow->tos;
	ip->ttl = HOPS;
	ip->saddr = flow->send_from.address[0];
	ip->daddr = flow->send_to.address[0];
	ip->check = ~fold((__u64)(__u16)~ip->check + change((void *)&before, (void *)ip, sizeof(before) / 4));
	addresses = change(&before.saddr, &ip->saddr, 2);
	ports = rewrite_ports(udp, flow);
	mend(skb, at_udp, addresses, ports);
	count(flow, length);
	return send(&way);
}

static __always_inline int relay6(struct __sk_buff *skb)
{
	const __u32 at_udp = ETH_HLEN + sizeof(struct ipv6hdr);
	struct endpoint local = {.family = AF_INET6}, source = {.family = AF_INET6};
	struct bpf_fib_lookup way = {.family = AF_INET6};
	struct ipv6hdr *ip, before;
	struct udphdr *udp;
	struct flow *flow;
	__be32 first;
	__u32 header, addresses, ports;
	__u16 length;

	if (!pull(skb, at_udp + sizeof(*udp) + 2))
		return PASS;
	ip = (void *)(long)skb->data + ETH_HLEN;
	udp = (void *)(ip + 1);
	if ((void *)(udp + 1) + 2 > (void *)(long)skb->data_end)
		return PASS;
	length = bpf_ntohs(udp->len);
	if (ip->version != 6 || ip->nexthdr != IPPROTO_UDP || length < sizeof(*udp) + 2 || !udp->check ||
	    bpf_ntohs(ip->payload_len) != length || skb->len < at_udp + length)
		return PASS;

	__builtin_memcpy(local.address, &ip->daddr, 16);
	local.port = udp->dest;
	flow = bpf_map_lookup_elem(&flows, &local);
	if (!flow)
		return PASS;
	__builtin_memcpy(source.address, &ip->saddr, 16);
	source.port = udp->source;
	if (!is_equal(&source, &flow->expect_from) || !is_wanted(flow, (void *)(udp + 1)))
		return PASS;

	first = bpf_htonl(6u << 28 | (__u32)flow->tos << 20); // and no flow label
	way.flowinfo = first & bpf_htonl(0x0ff00000);
	way.tot_len = sizeof(*ip) + length;
	__builtin_memcpy(way.ipv6_src, flow->send_from.address, 16);
	__builtin_memcpy(way.ipv6_dst, flow->send_to.address, 16);
	way.sport = flow->send_from.port;
	way.dport = flow->send_to.port;
	if (find_way(skb, &way) != BPF_FIB_LKUP_RET_SUCCESS)
		return PASS;

	before = *ip;
	*(__be32 *)ip = first;
	ip->hop_limit = HOPS;
	__builtin_memcpy(&ip->saddr, flow->send_from.address, 16);
	__builtin_memcpy(&ip->daddr, flow->send_to.address, 16);
	header = change((void *)&before, (void *)ip, sizeof(before) / 4);
	addresses = change((void *)&before.saddr, (void *)&ip->saddr, 8);
	ports = rewrite_ports(udp, flow);
	mend(skb, at_udp, addresses, ports);
	// A driver's sum over all of the packet: the line above took the addresses out of it as if IPv6 had a
	// header checksum as IPv4 has; this puts them in again, with what else is new in the header.
	bpf_csum_update(skb, header);
	count(flow, length);
	return send(&way);
}

// Runs for each packet that an interface has received.
SEC("tc")
int relay(struct __sk_buff *skb)
{
	// Not for us; for a VLAN, whose own interface sees it next; several datagrams in one.
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present || skb->gso_size)
		return PASS;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return relay4(skb);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return relay6(skb);
	return PASS;
}

// Runs when the daemon asks whether ways are found at all: returns what a look for one says.
SEC("tc")
int probe(struct __sk_buff *skb)
{
	struct bpf_fib_lookup way = {};

	way.family = skb->protocol == bpf_htons(ETH_P_IP) ? AF_INET : AF_INET6;
	return find_way(skb, &way);
}

char _license[] SEC("license") = "GPL";
