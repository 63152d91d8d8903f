/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permissions and owner, as a client names them. */
#pragma once

#include <glib.h>

/* As the kernel has it: leave this one as it is. */
#define GA_ID_SAME G_MAXUINT32

typedef struct {
    char *mode; /* NULL each: as it is */
    char *user;
    char *group;
} GaAttributes;

void ga_attributes_init(GaAttributes *attributes, const char *mode, const char *user,
                        const char *group);
void ga_attributes_clear(GaAttributes *attributes);

/* Octal digits, at most 07777; else bad-value. */
gboolean ga_mode_parse(const char *text, guint *ret_mode, GError **error);

/* The numbers of names, or numbers; may wait for a directory server: for threads. */
gboolean ga_owner_find(const GaAttributes *attributes, guint32 *ret_uid, guint32 *ret_gid,
                       GError **error);
