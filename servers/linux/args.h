/* SPDX-License-Identifier: MIT */
/* What execve hands to a new program: the strings, #! lines, and the picture of the new stack. Pure over
 * kmalloc.
 *
 * The stack, from high to low: 8 zero bytes, the program's path, the strings, 16 random bytes, (aligned to
 * 16) auxiliary vector, envp, argv, argc at the stack pointer. */
#pragma once

#include <abi/types.h>

#define ARGS_BYTES_MAX 122880u /* strings and pointers of one exec; with the rest it stays below 128 KiB */

struct args {
    char *strings; /* argv's strings, then envp's, each with its final 0 */
    u32 used, room;
    u32 argc, envc;
};

void args_init(struct args *a);
void args_release(struct args *a);
/* A piece of a string, and what counts it when its last piece, with the 0, was put. -E_2BIG, -E_NOMEM. */
err args_put(struct args *a, const char *piece, u64 bytes) must_check;
void args_end(struct args *a, bool env);
err args_add(struct args *a, const char *string, bool env) must_check;
/* The strings of a vector of the program's. As copy_in, or -E_2BIG, -E_NOMEM. */
struct call;
i64 args_copy(struct call *k, struct args *a, u64 vector, bool env) must_check;
/* argv[0] goes; script's interpreter, its argument (NULL: none) and the script's path come in its place. */
err args_script(struct args *a, const char *interpreter, const char *argument, const char *path) must_check;

/* A #! line in the first `bytes` bytes of a file: interpreter and argument are cut out of `line` in place.
 * -E_NOEXEC: none. */
err script_parse(char *line, u64 bytes, char **interpreter, char **argument) must_check;

struct aux {
    u64 type, value;
};
struct stack_image {
    char *bytes; /* of kmalloc; goes to address sp */
    u64 n, sp;
    u64 arg_start, arg_end, env_end; /* where the strings lie in the program */
};
/* Builds the picture of a stack that ends at `top`. aux: n_aux entries without the ends; AT_RANDOM and
 * AT_EXECFN and AT_NULL are added here. -E_2BIG, -E_NOMEM. */
err stack_build(struct stack_image *image, const struct args *a, const char *path, const struct aux *aux,
                u32 n_aux, const u8 random[16], u64 top) must_check;
