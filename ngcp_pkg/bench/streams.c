/* RTP streams through a relay, both ways, sent and received by one process.
 *
 * usage: streams HOST-A HOST-B BASE INTERVAL-US SECONDS < PORTS
 *
 * PORTS has a line for each stream: the relay's address that faces A, then the one that faces B, each as host and
 * port. Stream n belongs to port BASE + n % SOCKETS of both hosts. Every stream has one packet of G.711 each way in an
 * interval, and all packets of an interval are spread evenly over it. The kernel stamps what arrives, so that it does
 * not matter when it is read. One line of JSON tells what became of them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define SOCKETS 16
#define MAX_STREAMS 20000
#define PACKET 172
#define AHEAD 100000         /* ns that a packet may leave early: fewer sleeps */
#define BATCH 64
#define READ_EVERY 2000000   /* ns: sockets hold far more */
#define SETTLE 300000000     /* ns after the last packet in which the others may arrive */
#define BUCKETS 10000000     /* of 100 ns */
#define BUFFER (8 << 20)

typedef struct {
    struct sockaddr_in to;
    int from;
    uint32_t ssrc;
} Way;

typedef struct {
    uint8_t rtp[12];
    uint64_t sent; /* ns, CLOCK_REALTIME as the kernel's stamps */
    uint8_t audio[PACKET - 20];
} __attribute__((packed)) Packet;

static Way ways[2 * MAX_STREAMS];
static int sockets[2][SOCKETS];
static unsigned latencies[BUCKETS];
static int64_t started; /* ns, CLOCK_REALTIME: what was sent before is of another run */
static uint64_t sent, refused, received, foreign;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static struct sockaddr_in address(const char *host, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        die(host);
    return a;
}

static int open_socket(const char *host, int port) {
    struct sockaddr_in a = address(host, port);
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1, size = BUFFER;
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) < 0)
        die(host);
    if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    return s;
}

static int read_ways(void) {
    char hosts[2][64];
    int ports[2], streams = 0;
    while (streams < MAX_STREAMS && scanf("%63s %d %63s %d", hosts[0], &ports[0], hosts[1], &ports[1]) == 4) {
        for (int side = 0; side < 2; side++)
            ways[2 * streams + side] = (Way){address(hosts[side], ports[side]), sockets[side][streams % SOCKETS],
                                             (uint32_t)(2 * streams + side + 1)};
        streams++;
    }
    return 2 * streams;
}

static void send_one(const Way *way, uint32_t round) {
    static Packet packet;
    uint16_t sequence = htons((uint16_t)round);
    uint32_t timestamp = htonl(round * 160), ssrc = htonl(way->ssrc);
    packet.rtp[0] = 0x80;
    packet.rtp[1] = 8;
    memcpy(packet.rtp + 2, &sequence, 2);
    memcpy(packet.rtp + 4, &timestamp, 4);
    memcpy(packet.rtp + 8, &ssrc, 4);
    packet.sent = (uint64_t)now(CLOCK_REALTIME);
    if (sendto(way->from, &packet, sizeof packet, 0, (const struct sockaddr *)&way->to, sizeof way->to) < 0)
        refused++;
    sent++;
}

static int64_t arrival(struct msghdr *m) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return t.tv_sec * 1000000000ll + t.tv_nsec;
        }
    return 0;
}

static void drain(int s) {
    static Packet packets[BATCH];
    static char controls[BATCH][64];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    int count;
    do {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){&packets[i], PACKET};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1,
                                                  .msg_control = controls[i], .msg_controllen = sizeof controls[i]};
        }
        count = recvmmsg(s, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            if (messages[i].msg_len != PACKET || (int64_t)packets[i].sent < started) {
                foreign++;
                continue;
            }
            int64_t took = (arrival(&messages[i].msg_hdr) - (int64_t)packets[i].sent) / 100;
            latencies[took < 0 ? 0 : took >= BUCKETS ? BUCKETS - 1 : took]++;
            received++;
        }
    } while (count == BATCH);
}

static void drain_all(void) {
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < SOCKETS; i++)
            drain(sockets[side][i]);
}

static void sleep_until(int64_t moment) {
    struct timespec t = {moment / 1000000000, moment % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static double quantile(double share) {
    uint64_t wanted = (uint64_t)(share * (double)received), seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += latencies[i]) > wanted)
            return i / 10.0;
    return BUCKETS / 10.0;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: streams HOST-A HOST-B BASE INTERVAL-US SECONDS < PORTS\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < SOCKETS; i++)
            sockets[side][i] = open_socket(argv[1 + side], atoi(argv[3]) + i);
    int count = read_ways();
    started = now(CLOCK_REALTIME);
    int64_t interval = atoll(argv[4]) * 1000, start = now(CLOCK_MONOTONIC), read_at = start;
    uint32_t rounds = (uint32_t)(atof(argv[5]) * 1e9 / (double)interval);
    for (uint32_t round = 0; round < rounds && count > 0; round++)
        for (int i = 0; i < count; i++) {
            int64_t due = start + round * interval + i * interval / count, at = now(CLOCK_MONOTONIC);
            if (at >= read_at) {
                drain_all();
                read_at = at + READ_EVERY;
            }
            if (at + AHEAD < due)
                sleep_until(due);
            send_one(&ways[i], round);
        }
    int64_t end = now(CLOCK_MONOTONIC);
    do {
        sleep_until(now(CLOCK_MONOTONIC) + READ_EVERY);
        drain_all();
    } while (received < sent && now(CLOCK_MONOTONIC) < end + SETTLE);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"sent\": %lu, \"refused\": %lu, \"received\": %lu, \"foreign\": %lu, \"seconds\": %.3f, "
           "\"p50\": %.1f, \"p99\": %.1f, \"cpu\": %.3f}\n",
           sent, refused, received, foreign, (double)(end - start) / 1e9, quantile(0.5), quantile(0.99),
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
