/*
 * init_base.h - the configuration of the run whose weights another run begins with.
 */
#ifndef COMMON_INIT_BASE_H
#define COMMON_INIT_BASE_H

#include "settings.h"

/* The base of a configuration whose init_from is INIT_SETTINGS: the same without
 * init_from and what belongs to it, with those settings over it, resolved. The
 * caller's to release. where opens the message of a contradiction. */
int init_base_config(struct config *out, const struct config *config, const char *where,
                     struct error *err) MUST_CHECK;

#endif
