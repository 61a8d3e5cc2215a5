// SPDX-License-Identifier: MIT
//
// A style sheet that is imported goes into the page's one; it has no value.
declare module "*.css";
