/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may use a file beyond mode and owner: its access ACL and its SELinux label. A capability
 * (security.capability) is none of it: it was given to the contents.
 */
#pragma once

#include "file/place.h"

/* NULL each: there is none. */
typedef struct {
    GBytes *acl;
    GBytes *label;
} GaSecurity;

/* Read it from what `fd` stands for, which may be O_PATH; FALSE and errno. */
gboolean ga_security_read(GaSecurity *security, GaFd fd) G_GNUC_WARN_UNUSED_RESULT;
void ga_security_clear(GaSecurity *security);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GaSecurity, ga_security_clear)

/* Give an open file the same label, if there is one; FALSE and errno. */
gboolean ga_security_give_label(const GaSecurity *security, GaFd fd) G_GNUC_WARN_UNUSED_RESULT;

/* Give an open file the same ACL, or none. With one its permissions become those of the ACL, so
 * chmod() comes afterwards. FALSE and errno. */
gboolean ga_security_give_acl(const GaSecurity *security, GaFd fd) G_GNUC_WARN_UNUSED_RESULT;
