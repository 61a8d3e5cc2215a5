/* SPDX-License-Identifier: MIT
 *
 * crash - when scenario code crashes, says whose and where before the process ends. */
#pragma once

#include "user/scenario.h"
#include "user/user.h"

/* From the thread whose users run in place, until it calls crash_unwatch(); both are lent. Where
 * somebody else handles crashes already (a sanitizer) it stays so. */
void crash_watch(const struct scenario *scenario, const struct user_place *place);
void crash_unwatch(void);
