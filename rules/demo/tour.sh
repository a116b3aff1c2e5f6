#!/bin/sh
# A whole run on the demo: each command is shown before it runs.
set -eu
cd "$1"
run() { printf '\n$ %s\n' "$*"; "$@"; }
rm -rf .segrules out segrules.lock 活动.segplan   # what an earlier tour left
run segrules validate
run segrules test
run segrules evaluate --as-of 2026-06-30 -o 结果.csv
run segrules members 休眠高价值 --as-of 2026-06-30 --sample 5
run segrules explain C00042 职场女性 --as-of 2026-06-30
run segrules state init
run segrules plan --as-of 2026-06-30 -o 活动.segplan
run segrules apply 活动.segplan
run segrules status
run segrules plan --as-of 2026-06-30
