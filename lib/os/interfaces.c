#include "os/interfaces.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

static const void *address_of(const struct sockaddr *a)
{
    if (a && a->sa_family == AF_INET)
        return &((const struct sockaddr_in *)(const void *)a)->sin_addr;
    if (a && a->sa_family == AF_INET6)
        return &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    return NULL;
}

bool interfaces_list(buf *out)
{
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) != 0)
        return false;
    for (struct ifaddrs *i = list; i; i = i->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        const void *address = address_of(i->ifa_addr);
        if (address && inet_ntop(i->ifa_addr->sa_family, address, text, sizeof text))
            buf_printf(out, "%s ", text);
    }
    freeifaddrs(list);
    return !out->overflow;
}
