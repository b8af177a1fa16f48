/*
 * recorded_demo.h - a workspace with the experiment "demo" as if all of it had run, by
 * numbers that no machine, clock or processor changes (tests/data/screens.sql).
 */
#ifndef TESTS_SUPPORT_RECORDED_DEMO_H
#define TESTS_SUPPORT_RECORDED_DEMO_H

#include "place.h"

/* Makes the place. Sets HRMLAB_PAGER and TZ of this process. */
void recorded_demo_make(struct place *place);

#endif
