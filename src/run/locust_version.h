/* SPDX-License-Identifier: MIT
 *
 * locust_version - the release of Locust we answer as: workers introduce themselves with it,
 * clients of the web API read it. Peers compare its first four characters with their own. */
#pragma once

#define LOCUST_VERSION "2.46.6"
