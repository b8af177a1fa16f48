/*
 * settings_together.h - what settings mean together: contradictions, and values that
 * follow from others.
 */
#ifndef COMMON_SETTINGS_TOGETHER_H
#define COMMON_SETTINGS_TOGETHER_H

#include "settings.h"

/* Refuses contradictions (ERROR_FORMAT, where opens the message) and puts what follows
 * from other settings in its place: a matched transformer's layers and calls, the one
 * name of each gradient horizon. Idempotent. The first part of config_resolve(). */
int config_settle(struct config *config, const char *where, struct error *err) MUST_CHECK;

/* Where arch.H_cycles is not given, the cycles that the system is published with. */
void config_default_cycles(struct config *config);

#endif
