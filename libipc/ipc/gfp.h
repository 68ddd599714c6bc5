/* SPDX-License-Identifier: MIT */
/* Masks of requests for frames, where clients look for them: they are part of the frame protocol. */
#pragma once

#include <proto/gfp.h>
