/* SPDX-License-Identifier: MIT */
/* Single rules, by example: limits of regions and the verdicts on faults. */
#include <criterion/criterion.h>

#include <abi/errors.h>
#include "fault.h"
#include "mmap.h"
#include "region_fixture.h"

static struct vm_context ctx;
static struct vm_change change;
static struct mm_struct *mm;

static void begin(void) {
    region_fixture(&ctx);
    mm = mm_alloc(&ctx);
    cr_assert(mm);
}

static i64 map(vaddr addr, u64 pages, u64 prot, u64 flags) {
    struct mmap_request r = {
        .addr = addr, .len = pages * PAGE_BYTES, .prot = prot, .flags = flags | MAP_PRIVATE};
    i64 a = do_mmap(mm, &r, &change);
    if (a >= 0)
        vm_change_finish(mm, &change);
    return a;
}

static struct fault_verdict fault(vaddr addr, enum access access, u64 entry, u8 account, u32 shares,
                                  vaddr sp) {
    struct fault_verdict v = {0};
    struct fault_words w = {.address = addr, .entry = entry, .sp = sp};
    w.info = FAULT_INFO(access, 9, account, 0, shares);
    do_page_fault(mm, &w, &v);
    return v;
}

Test(rules, a_region_may_not_contain_the_address_that_find_vma_was_given, .init = begin) {
    cr_assert(map(0x20000, 2, PROT_READ, MAP_FIXED) == 0x20000);
    struct vm_area_struct *prev, *vma = find_vma(mm, 0x10000);
    cr_assert(vma && vma->vm_start == 0x20000);
    cr_assert(find_vma(mm, 0x22000) == NULL);
    cr_assert(find_vma_prev(mm, 0x22000, &prev) == NULL && prev == vma);
    cr_assert(find_vma_intersection(mm, 0x1f000, 0x20000) == NULL);
    cr_assert(find_vma_intersection(mm, 0x1f000, 0x20001) == vma);
}

Test(rules, no_more_regions_than_65536_and_a_hole_needs_one, .init = begin) {
    for (u64 i = 0; i < MAX_MAP_COUNT - 1; i++)
        cr_assert(map(0x100000 + i * 4 * PAGE_BYTES, 3, PROT_READ, MAP_FIXED) > 0);
    cr_assert(map(0x100000000, 3, PROT_READ, MAP_FIXED) > 0);
    cr_assert_eq(mm->map_count, MAX_MAP_COUNT);
    cr_assert_eq(map(0x200000000, 1, PROT_READ, MAP_FIXED), -E_NOMEM);
    cr_assert_eq(do_munmap(mm, 0x100001000, PAGE_BYTES, &change), -E_NOMEM);
    cr_assert_eq(do_munmap(mm, 0x100000000, PAGE_BYTES, &change), 0, "a head needs none");
    vm_change_finish(mm, &change);
    cr_assert(mm_check(mm) == NULL);
}

/* mm_check knows only what can_merge says. */
Test(rules, neighbours_that_agree_are_one_region, .init = begin) {
    cr_assert(map(0x100000, 1, PROT_READ, MAP_FIXED) == 0x100000);
    cr_assert(map(0x102000, 1, PROT_READ, MAP_FIXED) == 0x102000);
    cr_assert_eq(mm->map_count, 2);
    cr_assert(map(0x101000, 1, PROT_READ, MAP_FIXED) == 0x101000);
    cr_assert_eq(mm->map_count, 1, "the hole is filled");
    cr_assert(map(0x103000, 1, 0, MAP_FIXED) == 0x103000);
    cr_assert_eq(mm->map_count, 2, "other rights");
    cr_assert_eq(do_mprotect(mm, 0x101000, PAGE_BYTES, 0, &change), 0);
    vm_change_finish(mm, &change);
    cr_assert_eq(mm->map_count, 4);
    cr_assert_eq(do_mprotect(mm, 0x101000, PAGE_BYTES, PROT_READ, &change), 0);
    vm_change_finish(mm, &change);
    cr_assert_eq(mm->map_count, 2, "and as before");
}

/* As exec and a loader do it: where they put things themselves says nothing about where the next hole is. */
Test(rules, the_search_goes_on_behind_what_it_found_last, .init = begin) {
    i64 first = map(0, 1, PROT_READ, 0);
    cr_assert_eq(map(TASK_SIZE - 0x100000, 1, PROT_READ, MAP_FIXED), TASK_SIZE - 0x100000);
    cr_assert_eq(map(TASK_SIZE - 0x200000, 1, PROT_READ, 0), TASK_SIZE - 0x200000, "a hint");
    cr_assert_eq(mm->free_area_cache, (vaddr)first + PAGE_BYTES);
    cr_assert_eq(map(0, 1, 0, 0), first + (i64)PAGE_BYTES);
    cr_assert_eq(mm->free_area_cache, (vaddr)first + 2 * PAGE_BYTES);
}

Test(rules, limits_of_mmap, .init = begin) {
    cr_assert_eq(map(0x10001, 1, PROT_READ, MAP_FIXED), -E_INVAL);
    cr_assert_eq(map(0x1000, 1, PROT_READ, MAP_FIXED), -E_PERM);
    cr_assert_eq(map(TASK_SIZE, 1, PROT_READ, MAP_FIXED), -E_NOMEM);
    cr_assert_eq(map(0, 0, PROT_READ, 0), -E_INVAL);
    mm->rlim_as = 10 * PAGE_BYTES;
    cr_assert(map(0x20000, 10, PROT_READ, MAP_FIXED) > 0);
    cr_assert_eq(map(0, 1, PROT_READ, 0), -E_NOMEM);
    cr_assert(map(0x20000, 10, PROT_READ, MAP_FIXED) > 0, "what is replaced does not count");
    cr_assert_eq(map(0x21000, 1, PROT_READ, MAP_FIXED_NOREPLACE), -E_EXIST);
    cr_assert(map(0, 0, PROT_READ, 0) < 0 && mm->total_vm == 10);
}

Test(rules, the_heap_stops_at_limits_and_regions, .init = begin) {
    mm->start_brk = mm->brk = 0x30010;
    cr_assert_eq(sys_brk(mm, 0, &change), 0x30010);
    cr_assert_eq(sys_brk(mm, 0x33000, &change), 0x33000);
    cr_assert(map(0x35000, 1, PROT_READ, MAP_FIXED) > 0);
    cr_assert_eq(sys_brk(mm, 0x34001, &change), 0x33000, "it would touch the region");
    cr_assert_eq(sys_brk(mm, 0x33ff0, &change), 0x33ff0);
    mm->rlim_data = 0x2000;
    cr_assert_eq(sys_brk(mm, 0x34000, &change), 0x34000, "the same pages: no limit is asked");
    cr_assert_eq(sys_brk(mm, 0x31000, &change), 0x31000, "shrinking always works");
    vm_change_finish(mm, &change);
    cr_assert_eq(sys_brk(mm, 0x33000, &change), 0x31000, "RLIMIT_DATA");
    cr_assert_eq(mm->total_vm, 1, "only the region is left");
}

Test(rules, the_stack_grows_for_the_red_zone_and_pusha_and_no_further, .init = begin) {
    cr_assert(map(0x700000, 2, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_GROWSDOWN) > 0);
    mm->rlim_stack = 4 * PAGE_BYTES;
    cr_assert_eq(fault(0x6fff80, ACCESS_WRITE, 0, 0, 0, 0x6fff80 + 161).kind, FAULT_RAISE);
    struct fault_verdict v = fault(0x6fff80, ACCESS_WRITE, 0, 0, 0, 0x6fff80 + 160);
    cr_assert(v.kind == FAULT_FILL && v.op == FILL_ZERO);
    cr_assert_eq(find_vma(mm, 0x6fff80)->vm_start, 0x6ff000);
    cr_assert_eq(fault(0x6fe000, ACCESS_WRITE, 0, 0, 0, 0x6fe000).kind, FAULT_FILL);
    v = fault(0x6fd000, ACCESS_WRITE, 0, 0, 0, 0x6fd000);
    cr_assert(v.kind == FAULT_RAISE && v.signal == SIGSEGV && v.code == SEGV_MAPERR, "RLIMIT_STACK");
    mm->busy = true;
    cr_assert_eq(fault(0x6fd000, ACCESS_WRITE, 0, 0, 0, 0x6fd000).kind, FAULT_WAIT);
}

Test(rules, a_page_is_written_in_place_only_if_it_is_nobody_elses, .init = begin) {
    u64 entry = 0x55ull << PAGE_SHIFT | PTE_PRESENT | PTE_USER, zero = ctx.zero_page << PAGE_SHIFT | 5;
    cr_assert(map(0x20000, 2, PROT_READ | PROT_WRITE, MAP_FIXED) > 0);
    struct fault_verdict v = fault(0x20123, ACCESS_WRITE, entry, ctx.account, 1, 0);
    cr_assert(v.kind == FAULT_ITEM && v.op == FILL_UPGRADE && v.frame == 0x55);
    v = fault(0x20123, ACCESS_WRITE, entry, ctx.account, 2, 0);
    cr_assert(v.kind == FAULT_FILL && v.op == FILL_COPY, "shared");
    v = fault(0x20123, ACCESS_WRITE, entry, (u8)(ctx.account + 1), 1, 0);
    cr_assert(v.kind == FAULT_FILL && v.op == FILL_COPY, "cache's");
    v = fault(0x20123, ACCESS_WRITE, zero, ctx.account, 1, 0);
    cr_assert(v.kind == FAULT_FILL && v.op == FILL_ZERO, "the page of zeroes");
    cr_assert_eq(fault(0x20123, ACCESS_READ, entry, ctx.account, 1, 0).kind, FAULT_RESUME);
    v = fault(0x20123, ACCESS_EXEC, 0, 0, 0, 0);
    cr_assert(v.kind == FAULT_RAISE && v.code == SEGV_ACCERR);
    v = fault(0x20123, ACCESS_READ, 0, 0, 0, 0);
    cr_assert(v.kind == FAULT_ITEM && v.frame == ctx.zero_page && !(v.rights & MAP_WRITE));
}
