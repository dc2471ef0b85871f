/* Lists of networks as mynetworks has them: 127.0.0.0/8 [::1]/128 !192.0.2.7 10.0.0.0/8. The first that fits decides.
 * IPv4 addresses within IPv6 (::ffff:192.0.2.1) are IPv4. The holder owns it: networks_free. */
#pragma once
#include "base/fault.h"
#include "base/vec.h"
#include <sys/socket.h>

typedef struct network {
    unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;           /* of 128 */
    bool is_excluded;
} network;

typedef struct networks {
    VEC(network) rows;
} networks;

/* FAULT_REFUSED names the word that is not a network: bad address, bad length, bits set behind the length. What stands in
 * *out is right up to there; networks_free in either case. */
fault networks_read(str list, networks *out);
/* The same for who may not look into tables and files: they are left out, and so is all that stands behind one that may
 * exclude; *out never has more than the list has. */
fault networks_read_plain(str list, networks *out);
void networks_free(networks *ns);

bool networks_match(const networks *ns, const struct sockaddr *address);
bool networks_match_text(const networks *ns, str address); /* false when it is not an address */

/* 16 bytes, IPv4 mapped. False: not an IP address (brackets and "IPv6:" are allowed). */
bool address_read(str text, unsigned char out[16]);

/* True for one network "address/bits" or one address; no "!" here. */
bool network_read(str text, network *out, fault *f);
