/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces from getifaddrs(3), which lists every interface by its link first and
 * then all addresses; an address with a label makes an entry of that name. Their
 * counters are read at once: one file has all of them.
 */
#include "linux/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/guest-agent.h"
#include "linux/lines.h"
#include "platform/network.h"
#include "runtime/qapi-error.h"

#define COUNTERS_FILE "/proc/net/dev"
#define COLUMNS 16

typedef struct {
    GPtrArray *list;     /* GuestNetworkInterface */
    GHashTable *by_name; /* the same */
    GHashTable *counters;
    gint socket; /* to ask for hardware addresses */
} Interfaces;

void
os_net_counters_add(GHashTable *counters, const char *line)
{
    const char *colon = strchr(line, ':');
    gint64 columns[COLUMNS];

    if (!colon)
        return;
    g_autofree char *name = g_strchug(g_strndup(line, (gsize)(colon - line)));
    const char *rest = colon + 1;
    for (guint i = 0; i < COLUMNS; i++)
        if (!os_column_signed(&rest, 10, &columns[i]))
            return;
    if (g_hash_table_contains(counters, name))
        return;

    GuestNetworkInterfaceStat *stat = g_new0(GuestNetworkInterfaceStat, 1);
    stat->rx_bytes = (guint64)columns[0];
    stat->rx_packets = (guint64)columns[1];
    stat->rx_errs = (guint64)columns[2];
    stat->rx_dropped = (guint64)columns[3];
    stat->tx_bytes = (guint64)columns[8];
    stat->tx_packets = (guint64)columns[9];
    stat->tx_errs = (guint64)columns[10];
    stat->tx_dropped = (guint64)columns[11];
    g_hash_table_insert(counters, g_steal_pointer(&name), stat);
}

static gboolean
add_counters(gpointer owner, const char *line)
{
    os_net_counters_add(owner, line);
    return TRUE;
}

/* None where the file is missing. */
static GHashTable *
read_counters(void)
{
    GHashTable *counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                 (GDestroyNotify)guest_network_interface_stat_free);

    if (!os_lines_read(COUNTERS_FILE, add_counters, counters))
        g_debug("cannot read %s: %s", COUNTERS_FILE, g_strerror(errno));
    return counters;
}

/* The first six bytes, whatever the kind of interface; NULL if it just went away. */
static char *
hardware_address(gint socket, const char *name)
{
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (ioctl(socket, SIOCGIFHWADDR, &request) < 0)
        return NULL;

    const guint8 *bytes = (const guint8 *)request.ifr_hwaddr.sa_data;
    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                           bytes[4], bytes[5]);
}

static GuestNetworkInterface *
find_or_add(Interfaces *interfaces, const char *name)
{
    GuestNetworkInterface *interface = g_hash_table_lookup(interfaces->by_name, name);
    if (interface)
        return interface;

    interface = g_new0(GuestNetworkInterface, 1);
    interface->name = g_strdup(name);
    interface->hardware_address = hardware_address(interfaces->socket, name);
    g_hash_table_insert(interfaces->by_name, interface->name, interface);
    g_ptr_array_add(interfaces->list, interface);
    return interface;
}

/* What an address of a family is in its socket address. */
static gconstpointer
address_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return &((const struct sockaddr_in6 *)(gconstpointer)address)->sin6_addr;
    return &((const struct sockaddr_in *)(gconstpointer)address)->sin_addr;
}

static guint
count_bits(const guint8 *bytes, gsize n_bytes)
{
    guint n = 0;

    for (gsize i = 0; i < n_bytes; i++)
        n += (guint)__builtin_popcount(bytes[i]);
    return n;
}

static GuestIpAddress *
make_address(const struct ifaddrs *entry)
{
    gboolean is_ipv6 = entry->ifa_addr->sa_family == AF_INET6;
    gsize size = is_ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
    GuestIpAddress *address = g_new0(GuestIpAddress, 1);
    char text[INET6_ADDRSTRLEN];

    address->ip_address = g_strdup(
        inet_ntop(entry->ifa_addr->sa_family, address_of(entry->ifa_addr), text, sizeof text));
    address->ip_address_type = is_ipv6 ? GUEST_IP_ADDRESS_TYPE_IPV6 : GUEST_IP_ADDRESS_TYPE_IPV4;
    address->prefix = entry->ifa_netmask ? count_bits(address_of(entry->ifa_netmask), size) : 0;
    return address;
}

static void
add_entry(Interfaces *interfaces, const struct ifaddrs *entry)
{
    GuestNetworkInterface *interface = find_or_add(interfaces, entry->ifa_name);
    gint family = entry->ifa_addr ? entry->ifa_addr->sa_family : AF_UNSPEC;

    if (family != AF_INET && family != AF_INET6)
        return;
    if (!interface->ip_addresses)
        interface->ip_addresses = g_ptr_array_new();
    g_ptr_array_add(interface->ip_addresses, make_address(entry));
    if (!interface->statistics)
        interface->statistics = g_memdup(g_hash_table_lookup(interfaces->counters, interface->name),
                                         sizeof *interface->statistics);
}

static GPtrArray *
collect(const struct ifaddrs *entries, GError **error)
{
    gint fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        qapi_set_errno(error, errno, "failed to create socket");
        return NULL;
    }

    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) counters = read_counters();
    Interfaces interfaces = { g_ptr_array_new(), by_name, counters, fd };
    for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next)
        add_entry(&interfaces, entry);
    close(fd);
    return interfaces.list;
}

GPtrArray *
os_network_interfaces(GError **error)
{
    struct ifaddrs *entries;

    if (getifaddrs(&entries) < 0) {
        qapi_set_errno(error, errno, "getifaddrs failed");
        return NULL;
    }

    GPtrArray *interfaces = collect(entries, error);
    freeifaddrs(entries);
    return interfaces;
}
