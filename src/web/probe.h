/* SPDX-License-Identifier: MIT
 *
 * probe - GET /healthz and /readyz, for those who watch over this process. */
#pragma once

#include "run/run.h"
#include "serve/serve.h"

/* The process answers. */
void probe_answer_health(struct serve_request *r);
/* It takes orders and, as a master, workers. A master without workers is ready: behind a Service
 * that only leads to who is ready, workers could otherwise never reach it. Who wants to know
 * whether there are N of them asks /readyz?workers=N, which is 503 until then. */
void probe_answer_ready(const struct run *run, struct serve_request *r);
