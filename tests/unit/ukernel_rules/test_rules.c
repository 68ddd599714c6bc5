/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "host.h"

void test_names(void);
void test_ranges(void);
void test_ipc(void);
void test_notify(void);
void test_deadline(void);
void test_priority(void);
void probe_begin(void);
void test_stale(void);
void test_limits(void);
void test_conversation(void);
void test_alone(void);

static void all_pass(void (*tests)(void)) {
    host_begin();
    tests();
    cr_assert_eq(host_failures(), 0, "%u failures", host_failures());
}

static void late_answers(void) {
    probe_begin();
    test_stale();
}

static void limits(void) {
    probe_begin();
    test_limits();
}

static void conversations(void) {
    probe_begin();
    test_conversation();
}

static void answers_alone(void) {
    probe_begin();
    test_alone();
}

Test(rules, names) {
    all_pass(test_names);
}
Test(rules, ranges) {
    all_pass(test_ranges);
}
Test(rules, messages) {
    all_pass(test_ipc);
}
Test(rules, notifications) {
    all_pass(test_notify);
}
Test(rules, deadlines) {
    all_pass(test_deadline);
}
Test(rules, priorities) {
    all_pass(test_priority);
}
Test(rules, late_answers) {
    all_pass(late_answers);
}
Test(rules, limits) {
    all_pass(limits);
}
Test(rules, conversations) {
    all_pass(conversations);
}
Test(rules, forwards_and_answers_alone) {
    all_pass(answers_alone);
}
