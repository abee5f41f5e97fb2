/* Addresses as people and peers write them: HOST:PORT, [IPv6]:PORT, :PORT. */
#ifndef AL_NETADDR_H
#define AL_NETADDR_H

#include <stdint.h>
#include <sys/socket.h>

#include "bytes.h"
#include "err.h"
#include "limit.h"

#define AL_NETADDR_TEXT (AL_ADDRESS_MAX + 1) /* with the NUL */

struct al_netaddr {
    char host[AL_NETADDR_TEXT]; /* a name, or an address without brackets; empty: any */
    uint16_t port;
};

/*
 * Read |text|. The host is checked here, before any resolver sees it: letters, digits, '-', '_'
 * and '.', labels of at most 63, or a literal IPv6 address in brackets; empty only when
 * |any_host|. Returns 0 or AL_E_ADDRESS.
 */
AL_MUST_CHECK int al_netaddr_parse(struct al_netaddr *ret, struct al_slice text, bool any_host);

/* The socket address of |a| when its host is a literal one (or empty: any, IPv6). AL_E_ADDRESS. */
AL_MUST_CHECK int al_netaddr_literal(struct sockaddr_storage *ret, const struct al_netaddr *a);

/* Write |sa| (IPv4 or IPv6; a mapped IPv4 address as such), with its port, and NUL. */
void al_netaddr_text(char out[AL_NETADDR_TEXT], const struct sockaddr *sa);

uint16_t al_netaddr_port(const struct sockaddr *sa);

/* True for 127.0.0.0/8 and ::1. */
bool al_netaddr_is_loopback(const struct sockaddr *sa);

/* The network that |sa| counts for when shares are dealt out: /24 of IPv4, /56 of IPv6. */
void al_netaddr_prefix(uint8_t out[8], const struct sockaddr *sa);

#endif
