/* SPDX-License-Identifier: MIT
 *
 * driver_compare - cicada-driver compare A B: two folders of results side by side. */
#pragma once

/* argv[0] is the word. Returns the exit code. */
int driver_compare_main(int argc, char **argv);
