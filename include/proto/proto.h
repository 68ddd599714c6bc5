/* SPDX-License-Identifier: MIT */
/* How a protocol is declared, and what comes of it.
 *
 * include/proto/X.def declares lists of fields and one list of operations. Every field is one 64-bit word; at
 * most six each way; a list may not be empty: F(u64, none).
 * - #define X_ALLOC_IN(F) F(u64, order) F(u64, gfp)
 * - #define X_OPS(OP, OPT) OP(x, alloc, 0x0101, X_ALLOC_IN, X_ALLOC_OUT) ...
 *
 * OP is an operation of words only. OPT has a tail too, words 6 to 63 of the message page, both ways: names,
 * lists, structures. PROTO_DECLARE(X_OPS) gives
 * - struct x_alloc_req and struct x_alloc_rep, and their checks;
 * - the client's stub: err x_alloc(u32 to, const struct x_alloc_req *req, struct x_alloc_rep *rep), and for
 *   OPT with u32 tail_words before rep: the tail lies in the caller's own message page (ipc_tail()) before the
 *   call, and the reply's after it;
 * - the prototype of the server's handler: err x_on_alloc(struct ipc_ctx *, const struct x_alloc_req *,
 *   struct x_alloc_rep *).
 *
 * PROTO_DISPATCH(x, X_OPS) defines x_dispatch(). The trace's decoder is made from the same lists. */
#pragma once

#include <abi/errors.h>
#include <abi/syscall.h>
#include <abi/types.h>

#define MSG_TAIL_WORDS (MSG_WORDS - MSG_REG_WORDS)
#define MSG_TAIL_BYTES (MSG_TAIL_WORDS * 8)

struct ipc_ctx; /* <ipc/server.h> */

/* libipc (host tests: their model). label status or transport error. */
err ipc_call_words(u32 to, u64 label, const u64 *in, u32 n_in, u64 *out, u32 n_out);
err ipc_call_tail(u32 to, u64 label, const u64 *in, u32 tail_words, u64 *out, u32 n_out);

/* Types that a field may have, and how each is printed. */
#define PROTO_KINDS(K) K(u64, "%llu") K(i64, "%lld") K(pfn, "%#llx") K(vaddr, "%#llx") K(err, "%lld")

#define PROTO_MEMBER(t, n) t n;
#define PROTO_COUNT(t, n)  +1

#define PROTO_TYPES(p, o, id, IN, OUT)                                                                       \
    struct p##_##o##_req {                                                                                   \
        IN(PROTO_MEMBER)                                                                                     \
    };                                                                                                       \
    struct p##_##o##_rep {                                                                                   \
        OUT(PROTO_MEMBER)                                                                                    \
    };                                                                                                       \
    enum { p##_label_##o = (id), p##_##o##_n_in = 0 IN(PROTO_COUNT), p##_##o##_n_out = 0 OUT(PROTO_COUNT) }; \
    _Static_assert(sizeof(struct p##_##o##_req) == 8 * (0 IN(PROTO_COUNT)), #p "." #o ": not one word");     \
    _Static_assert(sizeof(struct p##_##o##_rep) == 8 * (0 OUT(PROTO_COUNT)), #p "." #o ": not one word");    \
    _Static_assert((0 IN(PROTO_COUNT)) <= MSG_REG_WORDS, #p "." #o ": too many words in");                   \
    _Static_assert((0 OUT(PROTO_COUNT)) <= MSG_REG_WORDS, #p "." #o ": too many words out");                 \
    err p##_on_##o(struct ipc_ctx *c, const struct p##_##o##_req *req, struct p##_##o##_rep *rep);

#define PROTO_OP(p, o, id, IN, OUT)                                                                          \
    PROTO_TYPES(p, o, id, IN, OUT)                                                                           \
    must_check static inline err p##_##o(u32 to, const struct p##_##o##_req *req,                            \
                                         struct p##_##o##_rep *rep) {                                        \
        return ipc_call_words(to, id, (const u64 *)req, p##_##o##_n_in, (u64 *)rep, p##_##o##_n_out);        \
    }
#define PROTO_OPT(p, o, id, IN, OUT)                                                                         \
    PROTO_TYPES(p, o, id, IN, OUT)                                                                           \
    must_check static inline err p##_##o(u32 to, const struct p##_##o##_req *req, u32 tail_words,            \
                                         struct p##_##o##_rep *rep) {                                        \
        u64 in[MSG_REG_WORDS] = {0};                                                                         \
        __builtin_memcpy(in, req, sizeof *req);                                                              \
        return ipc_call_tail(to, id, in, tail_words, (u64 *)rep, p##_##o##_n_out);                           \
    }
#define PROTO_DECLARE(OPS) OPS(PROTO_OP, PROTO_OPT)

#define PROTO_CASE(p, o, id, IN, OUT)                                                                        \
    case id: {                                                                                               \
        struct p##_##o##_req q;                                                                              \
        struct p##_##o##_rep r = {0};                                                                        \
        __builtin_memcpy(&q, w, sizeof q);                                                                   \
        err e = p##_on_##o(c, &q, &r);                                                                       \
        __builtin_memcpy(w, &r, sizeof r);                                                                   \
        return e;                                                                                            \
    }
/* Calls the handler of `label` with the words w[6] and puts its result there; -E_NOSYS for a label that x
 * does not know. */
#define PROTO_DISPATCH(p, OPS)                                                                               \
    static inline err p##_dispatch(struct ipc_ctx *c, u64 label, u64 *w) {                                   \
        switch (label) {                                                                                     \
            OPS(PROTO_CASE, PROTO_CASE)                                                                      \
        default:                                                                                             \
            return -E_NOSYS;                                                                                 \
        }                                                                                                    \
    }
