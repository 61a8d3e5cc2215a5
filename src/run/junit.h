/* SPDX-License-Identifier: MIT
 *
 * junit - the outcome of a test as CI systems read it: a test case for each gate, and for each name
 * with failed requests. */
#pragma once

#include "base/buf.h"
#include "run/gate.h"
#include "run/run.h"

/* After gates_judge(). Names with failures have failed, unless a gate judges failures. */
void junit_write(const struct run *run, const struct gates *gates, struct buf *out);
