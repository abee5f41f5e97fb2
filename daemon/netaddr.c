#include "netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <uv.h>

#define LABEL_MAX 63

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static bool is_name(struct al_slice host)
{
    size_t label = 0;
    for (size_t i = 0; i < host.n; i++) {
        if (!is_name_byte(host.p[i]))
            return false;
        if (host.p[i] == '.' && label == 0)
            return false;
        label = host.p[i] == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return false;
    }
    return host.n > 0 && host.p[0] != '-';
}

static int parse_port(uint16_t *ret, struct al_slice digits)
{
    uint32_t port = 0;
    if (digits.n == 0 || digits.n > 5)
        return AL_E_ADDRESS;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return AL_E_ADDRESS;
        port = port * 10 + (uint32_t)(digits.p[i] - '0');
    }
    if (port > UINT16_MAX)
        return AL_E_ADDRESS;
    *ret = (uint16_t)port;
    return 0;
}

int al_netaddr_parse(struct al_netaddr *ret, struct al_slice text, bool any_host)
{
    struct al_netaddr a = {.port = 0};
    if (text.n == 0 || text.n >= sizeof(a.host))
        return AL_E_ADDRESS;
    const uint8_t *colon = memrchr(text.p, ':', text.n);
    if (colon == NULL)
        return AL_E_ADDRESS;
    struct al_slice host = al_slice_of(text.p, (size_t)(colon - text.p));
    struct al_slice port = al_slice_of(colon + 1, text.n - host.n - 1);

    bool brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (brackets)
        host = al_slice_of(host.p + 1, host.n - 2);
    memcpy(a.host, host.p, host.n);
    struct in6_addr in6;
    if (brackets) {
        if (strlen(a.host) != host.n || inet_pton(AF_INET6, a.host, &in6) != 1)
            return AL_E_ADDRESS;
    } else if (!(host.n == 0 && any_host) && !is_name(host)) {
        return AL_E_ADDRESS;
    }
    int err = parse_port(&a.port, port);
    if (err != 0)
        return err;
    *ret = a;
    return 0;
}

int al_netaddr_literal(struct sockaddr_storage *ret, const struct al_netaddr *a)
{
    const char *host = a->host[0] == '\0' ? "::" : a->host;
    memset(ret, 0, sizeof(*ret));
    if (uv_ip4_addr(host, a->port, (struct sockaddr_in *)ret) == 0 ||
        uv_ip6_addr(host, a->port, (struct sockaddr_in6 *)ret) == 0)
        return 0;
    return AL_E_ADDRESS;
}

static bool mapped_v4(uint8_t out[4], const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        memcpy(out, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
        return true;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(in6))
        return false;
    memcpy(out, in6->s6_addr + 12, 4);
    return true;
}

uint16_t al_netaddr_port(const struct sockaddr *sa)
{
    return sa->sa_family == AF_INET
               ? ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port)
               : ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
}

void al_netaddr_text(char out[AL_NETADDR_TEXT], const struct sockaddr *sa)
{
    char host[INET6_ADDRSTRLEN] = "?";
    uint8_t v4[4];
    if (mapped_v4(v4, sa)) {
        (void)inet_ntop(AF_INET, v4, host, sizeof(host));
        (void)snprintf(out, AL_NETADDR_TEXT, "%s:%u", host, al_netaddr_port(sa));
        return;
    }
    (void)inet_ntop(
        AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, host, sizeof(host));
    (void)snprintf(out, AL_NETADDR_TEXT, "[%s]:%u", host, al_netaddr_port(sa));
}

bool al_netaddr_is_loopback(const struct sockaddr *sa)
{
    uint8_t v4[4];
    if (mapped_v4(v4, sa))
        return v4[0] == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

void al_netaddr_prefix(uint8_t out[8], const struct sockaddr *sa)
{
    uint8_t v4[4];
    memset(out, 0, 8);
    if (mapped_v4(v4, sa)) {
        out[7] = 4; /* beyond the 56 bits of an IPv6 prefix, so the two never meet */
        memcpy(out, v4, 3);
        return;
    }
    memcpy(out, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 7);
}
