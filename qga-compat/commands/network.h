/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which interfaces guest-network-get-interfaces tells. A host of containers has
 * hundreds that mean nothing to whoever looks for the guest's address.
 */
#pragma once

#include <glib.h>

/* Globs know * and ?. */
typedef struct {
    char **exclude; /* globs of names; NULL: none */
    char **order;   /* what matches the first one comes first, what matches none last */
    guint maximum;  /* of interfaces; 0: all */
} GaInterfaceFilter;

/* `interfaces` holds GuestNetworkInterfaces; those that go are freed. */
GPtrArray *ga_interface_filter_apply(const GaInterfaceFilter *filter,
                                     GPtrArray *interfaces /* (transfer full) */);
