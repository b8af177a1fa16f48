/*
 * spec_place.h - where the spec lies that the command line names.
 */
#ifndef RUNNER_SPEC_PLACE_H
#define RUNNER_SPEC_PLACE_H

#include "error.h"

/*
 * The path of a spec: `given` itself, or, where there is no such file and `given` is a
 * bare name ("architecture"), the shipped spec NAME.json: in HRMLAB_EXPERIMENTS, or
 * beside the program as installed (../share/hrmlab/experiments) or built
 * (../experiments). *out is newly allocated. ERROR_FORMAT: there is none; the message
 * names those there are, or the nearest.
 */
int spec_place_find(char **out, const char *given, struct error *err) MUST_CHECK;

#endif
