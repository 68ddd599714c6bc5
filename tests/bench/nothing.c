/* SPDX-License-Identifier: MIT */
/* The smallest program: what fork + exec measures. */
int main(void) {
    return 0;
}
