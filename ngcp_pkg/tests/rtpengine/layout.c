/* Prints the layout of what xt_RTPENGINE exchanges with its daemon, to be compared with layout.txt. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct { int64_t value; } atomic64;
#include "xt_RTPENGINE.h"

struct global_stats_counter {
#define F(n) atomic64 n;
#include "kernel_counter_stats_fields.inc"
#undef F
};

#define SIZE(type) printf("%s size %zu\n", #type, sizeof(struct type))
#define FIELD(type, field) \
	printf("%s %s %zu %zu\n", #type, #field, offsetof(struct type, field), sizeof(((struct type *) 0)->field))
/* A field of one bit: the byte it is in, and its mask there. */
#define BIT(type, field) do { \
	struct type value; \
	const unsigned char *bytes = (const unsigned char *) &value; \
	memset(&value, 0, sizeof(value)); \
	value.field = 1; \
	for (size_t i = 0; i < sizeof(value); i++) \
		if (bytes[i]) \
			printf("%s %s %zu mask %d\n", #type, #field, i, bytes[i]); \
} while (0)

#define MESSAGE(command, type) \
	printf("message %d %zu\n", REMG_##command, sizeof(struct rtpengine_command_##type))

int main(void) {
	SIZE(re_address);
	FIELD(re_address, family);
	FIELD(re_address, u);
	FIELD(re_address, port);
	SIZE(rtpengine_srtp);
	FIELD(rtpengine_srtp, cipher);
	FIELD(rtpengine_srtp, hmac);
	FIELD(rtpengine_srtp, master_key);
	FIELD(rtpengine_srtp, master_key_len);
	FIELD(rtpengine_srtp, master_salt);
	FIELD(rtpengine_srtp, master_salt_len);
	FIELD(rtpengine_srtp, session_key_len);
	FIELD(rtpengine_srtp, session_salt_len);
	FIELD(rtpengine_srtp, mki);
	FIELD(rtpengine_srtp, rtp_auth_tag_len);
	FIELD(rtpengine_srtp, rtcp_auth_tag_len);
	FIELD(rtpengine_srtp, mki_len);
	SIZE(rtpengine_target_info);
	FIELD(rtpengine_target_info, local);
	FIELD(rtpengine_target_info, expected_src);
	FIELD(rtpengine_target_info, src_mismatch);
	FIELD(rtpengine_target_info, num_destinations);
	FIELD(rtpengine_target_info, num_rtcp_destinations);
	FIELD(rtpengine_target_info, intercept_stream_idx);
	FIELD(rtpengine_target_info, decrypt);
	FIELD(rtpengine_target_info, ssrc);
	FIELD(rtpengine_target_info, ssrc_stats);
	FIELD(rtpengine_target_info, pt_stats);
	FIELD(rtpengine_target_info, num_payload_types);
	FIELD(rtpengine_target_info, iface_stats);
	FIELD(rtpengine_target_info, stats);
	BIT(rtpengine_target_info, rtcp_mux);
	BIT(rtpengine_target_info, dtls);
	BIT(rtpengine_target_info, stun);
	BIT(rtpengine_target_info, rtp);
	BIT(rtpengine_target_info, ssrc_req);
	BIT(rtpengine_target_info, rtp_only);
	BIT(rtpengine_target_info, track_ssrc);
	BIT(rtpengine_target_info, rtcp);
	BIT(rtpengine_target_info, rtcp_fw);
	BIT(rtpengine_target_info, rtcp_fb_fw);
	BIT(rtpengine_target_info, do_intercept);
	BIT(rtpengine_target_info, pt_filter);
	BIT(rtpengine_target_info, non_forwarding);
	BIT(rtpengine_target_info, blackhole);
	BIT(rtpengine_target_info, rtp_stats);
	SIZE(rtpengine_pt_output);
	FIELD(rtpengine_pt_output, min_payload_len);
	FIELD(rtpengine_pt_output, replace_pattern);
	FIELD(rtpengine_pt_output, replace_pattern_len);
	SIZE(rtpengine_output_info);
	FIELD(rtpengine_output_info, src_addr);
	FIELD(rtpengine_output_info, dst_addr);
	FIELD(rtpengine_output_info, encrypt);
	FIELD(rtpengine_output_info, ssrc_out);
	FIELD(rtpengine_output_info, seq_offset);
	FIELD(rtpengine_output_info, pt_output);
	FIELD(rtpengine_output_info, iface_stats);
	FIELD(rtpengine_output_info, stats);
	FIELD(rtpengine_output_info, ssrc_stats);
	FIELD(rtpengine_output_info, tos);
	BIT(rtpengine_output_info, ssrc_subst);
	SIZE(rtpengine_destination_info);
	FIELD(rtpengine_destination_info, local);
	FIELD(rtpengine_destination_info, num);
	FIELD(rtpengine_destination_info, output);
	SIZE(rtpengine_init_info);
	FIELD(rtpengine_init_info, last_cmd);
	FIELD(rtpengine_init_info, msg_size);
	FIELD(rtpengine_init_info, rtpe_stats);
	SIZE(rtpengine_command_init);
	FIELD(rtpengine_command_init, cmd);
	FIELD(rtpengine_command_init, init);
	SIZE(rtpengine_command_add_target);
	FIELD(rtpengine_command_add_target, cmd);
	FIELD(rtpengine_command_add_target, target);
	SIZE(rtpengine_command_destination);
	FIELD(rtpengine_command_destination, cmd);
	FIELD(rtpengine_command_destination, destination);
	SIZE(rtpengine_command_del_target);
	FIELD(rtpengine_command_del_target, cmd);
	FIELD(rtpengine_command_del_target, local);
	SIZE(stream_stats);
	FIELD(stream_stats, packets);
	FIELD(stream_stats, bytes);
	FIELD(stream_stats, errors);
	FIELD(stream_stats, last_packet);
	FIELD(stream_stats, tos);
	SIZE(ssrc_stats);
	FIELD(ssrc_stats, packets);
	FIELD(ssrc_stats, bytes);
	FIELD(ssrc_stats, timestamp);
	FIELD(ssrc_stats, ext_seq);
	FIELD(ssrc_stats, rtcp_seq);
	FIELD(ssrc_stats, lost_bits);
	FIELD(ssrc_stats, total_lost);
	FIELD(ssrc_stats, transit);
	FIELD(ssrc_stats, jitter);
	FIELD(ssrc_stats, last_packet);
	FIELD(ssrc_stats, last_pt);
	SIZE(interface_counter_stats_dir);
	FIELD(interface_counter_stats_dir, packets);
	FIELD(interface_counter_stats_dir, bytes);
	FIELD(interface_counter_stats_dir, errors);
	SIZE(interface_stats_block);
	FIELD(interface_stats_block, in);
	FIELD(interface_stats_block, out);
	FIELD(interface_stats_block, s);
	FIELD(interface_stats_block, sampled);
	SIZE(global_stats_counter);
	FIELD(global_stats_counter, packets_kernel);
	FIELD(global_stats_counter, bytes_kernel);
	FIELD(global_stats_counter, errors_kernel);
	FIELD(global_stats_counter, packets_lost);

	MESSAGE(INIT, init);
	MESSAGE(ADD_TARGET, add_target);
	MESSAGE(ADD_DESTINATION, destination);
	MESSAGE(ADD_CALL, add_call);
	MESSAGE(DEL_CALL, del_call);
	MESSAGE(ADD_STREAM, add_stream);
	MESSAGE(DEL_STREAM, del_stream);
	MESSAGE(PACKET, packet);
	MESSAGE(DEL_TARGET, del_target);
	MESSAGE(INIT_PLAY_STREAMS, init_play_streams);
	MESSAGE(GET_PACKET_STREAM, get_packet_stream);
	MESSAGE(PLAY_STREAM_PACKET, play_stream_packet);
	MESSAGE(PLAY_STREAM, play_stream);
	MESSAGE(STOP_STREAM, stop_stream);
	MESSAGE(FREE_PACKET_STREAM, free_packet_stream);
	return 0;
}
