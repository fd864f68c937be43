// SPDX-License-Identifier: GPL-2.0-or-later
// The least that a kernel can do with a UDP datagram and send it out again: back to where it came from.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SWAP(type, one, other) \
	do { \
		type kept = one; \
		one = other; \
		other = kept; \
	} while (0)

SEC("tc")
int echo(struct __sk_buff *skb)
{
	struct ethhdr *ethernet = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > (void *)(long)skb->data_end || ethernet->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return TC_ACT_UNSPEC;
	for (int i = 0; i < ETH_ALEN; i++)
		SWAP(__u8, ethernet->h_dest[i], ethernet->h_source[i]);
	SWAP(__be32, ip->saddr, ip->daddr);
	SWAP(__be16, udp->source, udp->dest);
	return bpf_redirect(skb->ifindex, 0);
}

char _license[] SEC("license") = "GPL";
