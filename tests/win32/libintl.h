/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gettext calls that GLib makes, for a build without message catalogues: every text comes
 * back as it is. Installed into the sysroot, so that no real libintl has to be built.
 */
#pragma once

char *gettext(const char *text);
char *dgettext(const char *domain, const char *text);
char *dcgettext(const char *domain, const char *text, int category);
char *ngettext(const char *one, const char *many, unsigned long count);
char *dngettext(const char *domain, const char *one, const char *many, unsigned long count);
char *textdomain(const char *domain);
char *bindtextdomain(const char *domain, const char *directory);
char *bind_textdomain_codeset(const char *domain, const char *codeset);
