# SPDX-License-Identifier: MIT
# Images, and running them.
