/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-network-get-route from /proc/net. A router has a million routes: so a
 * thread reads them.
 *
 * Numbers are those that upstream makes of the files: int where the kernel writes
 * unsigned, so that a metric may be negative, and flags of IPv6 with bit 31 have
 * all bits above it.
 */
#include "linux/route.h"

#include <arpa/inet.h>
#include <errno.h>

#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "linux/lines.h"
#include "runtime/qapi-error.h"

#define IPV4_FILE "/proc/net/route"
#define IPV6_FILE "/proc/net/ipv6_route"

#define IPV6_BYTES 16
#define IPV6_DIGITS (2 * IPV6_BYTES)

static char *
address_text(gint family, gconstpointer address)
{
    char text[INET6_ADDRSTRLEN];

    return g_strdup(inet_ntop(family, address, text, sizeof text));
}

/* An address as the kernel writes it: in its byte order, as one number. */
static gboolean
read_ipv4(const char **line, char **ret_text)
{
    guint64 number;
    if (!os_column_unsigned(line, 16, &number))
        return FALSE;

    struct in_addr address = { .s_addr = (guint32)number };
    *ret_text = address_text(AF_INET, &address);
    return TRUE;
}

/* FALSE if there is no column; NULL for one that is no address. */
static gboolean
read_ipv6(const char **line, char **ret_text)
{
    g_autofree char *digits = os_column_word(line, IPV6_DIGITS);
    guint8 address[IPV6_BYTES];

    if (!digits)
        return FALSE;
    for (guint i = 0; i < IPV6_BYTES; i++) {
        gint high = g_ascii_xdigit_value(digits[2 * i]);
        gint low = high < 0 ? -1 : g_ascii_xdigit_value(digits[2 * i + 1]);

        if (low < 0)
            return TRUE;
        address[i] = (guint8)(high << 4 | low);
    }
    *ret_text = address_text(AF_INET6, address);
    return TRUE;
}

static gboolean
read_int(const char **line, gint64 *ret_number)
{
    gint64 number;
    if (!os_column_signed(line, 10, &number))
        return FALSE;

    *ret_number = (gint32)number;
    return TRUE;
}

static gboolean
read_hex(const char **line, gint64 *ret_number)
{
    guint64 number;
    if (!os_column_unsigned(line, 16, &number))
        return FALSE;

    *ret_number = (gint32)number;
    return TRUE;
}

static gboolean
read_prefix(const char **line, char **ret_text)
{
    gint64 length;
    if (!read_hex(line, &length))
        return FALSE;

    *ret_text = g_strdup_printf("%" G_GINT64_FORMAT, length);
    return TRUE;
}

static gboolean
read_name(const char **line, char **ret_name)
{
    *ret_name = os_column_word(line, G_MAXSIZE);
    return *ret_name != NULL;
}

void
os_routes_add_ipv4(GPtrArray *routes, const char *line)
{
    g_autoptr(GuestNetworkRoute) route = g_new0(GuestNetworkRoute, 1);
    gint64 flags;

    if (!read_name(&line, &route->iface) || !read_ipv4(&line, &route->destination) ||
        !read_ipv4(&line, &route->gateway) || !read_hex(&line, &flags) ||
        !read_int(&line, &route->refcnt) || !read_int(&line, &route->use) ||
        !read_int(&line, &route->metric) || !read_ipv4(&line, &route->mask) ||
        !read_int(&line, &route->mtu) || !read_int(&line, &route->window) ||
        !read_int(&line, &route->irtt))
        return;
    route->flags = (guint32)flags;
    route->has_flags = route->has_refcnt = route->has_use = TRUE;
    route->has_mtu = route->has_window = route->has_irtt = TRUE;
    route->version = 4;
    g_ptr_array_add(routes, g_steal_pointer(&route));
}

void
os_routes_add_ipv6(GPtrArray *routes, const char *line)
{
    g_autoptr(GuestNetworkRoute) route = g_new0(GuestNetworkRoute, 1);
    gint64 flags;

    if (!read_ipv6(&line, &route->destination) || !read_prefix(&line, &route->desprefixlen) ||
        !read_ipv6(&line, &route->source) || !read_prefix(&line, &route->srcprefixlen) ||
        !read_ipv6(&line, &route->nexthop) || !read_hex(&line, &route->metric) ||
        !read_hex(&line, &route->refcnt) || !read_hex(&line, &route->use) ||
        !read_hex(&line, &flags) || !read_name(&line, &route->iface) || !route->destination)
        return;
    route->flags = (guint64)flags;
    route->has_flags = route->has_refcnt = route->has_use = TRUE;
    route->version = 6;
    g_ptr_array_add(routes, g_steal_pointer(&route));
}

typedef struct {
    GPtrArray *routes;
    gboolean is_below_title;
} Table;

/* The first line is a title, whatever it says. */
static gboolean
add_ipv4(gpointer owner, const char *line)
{
    Table *table = owner;

    if (table->is_below_title)
        os_routes_add_ipv4(table->routes, line);
    table->is_below_title = TRUE;
    return TRUE;
}

static gboolean
add_ipv6(gpointer owner, const char *line)
{
    Table *table = owner;

    os_routes_add_ipv6(table->routes, line);
    return TRUE;
}

static gboolean
read_file(const char *path, OsLineFunc add, GPtrArray *routes, GError **error)
{
    Table table = { .routes = routes };

    if (os_lines_read(path, add, &table))
        return TRUE;
    qapi_set_errno(error, errno, "open(\"%s\")", path);
    return FALSE;
}

static gpointer
work(G_GNUC_UNUSED gpointer data, GError **error)
{
    GPtrArray *routes = g_ptr_array_new();

    if (read_file(IPV4_FILE, add_ipv4, routes, error) &&
        read_file(IPV6_FILE, add_ipv6, routes, error))
        return routes;
    g_ptr_array_set_free_func(routes, (GDestroyNotify)guest_network_route_free);
    g_ptr_array_unref(routes);
    return NULL;
}

void
guest_network_get_route(GaCall *call)
{
    ga_work_run(call, work, NULL, NULL);
}
