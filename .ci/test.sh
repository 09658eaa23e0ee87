#!/usr/bin/env bash
# Runs the parts of the suite one after the other, each within its budget: test.sh TOTAL_S NAME=BUDGET_S...
# A part is `make check`, `unit` (every unmarked test), `halls` (whole lines: crashes, planted faults, the demo), or the tests
# marked with its name.
# A budget is what a part may take on two idle cores; it is said when one takes longer. A busy machine is no fault of the
# code, so a part is only stopped, and red, at SLACK times its budget.
set -uo pipefail
slack=${SLACK:-3}
# The same examples each time: what landed yesterday is not red today by chance. `HYPOTHESIS_PROFILE=dev` looks for new ones.
export HYPOTHESIS_PROFILE=${HYPOTHESIS_PROFILE:-ci}
# Every core has a worker already; algebra on more threads only makes them wait for each other.
export OPENBLAS_NUM_THREADS=1

python=.venv/bin/python
elsewhere="wire or browser or crash or demo or mutants or bench"
total_s=$1
shift
report=()
failed=0

# A part without a single test fails: pytest says so with code 5.
run_part() {
    local part=$1 budget_s=$2 code=0
    case $part in
        check) within "$budget_s" make check || code=$? ;;
        unit) run_pytest "$budget_s" "not ($elsewhere)" --dist worksteal || code=$? ;;
        # a file shares one hall or one line, so it stays with one worker
        halls) run_pytest "$budget_s" "crash or mutants or demo" --dist loadfile || code=$? ;;
        # these wait for heartbeats, time-outs and pages as much as they compute
        wire) run_pytest "$budget_s" wire -n 3 --dist loadfile || code=$? ;;
        # its server and its browser are each worker's own, whichever files it gets
        browser) run_pytest "$budget_s" browser -n 3 --dist worksteal || code=$? ;;
        *) run_pytest "$budget_s" "$part" --dist loadfile || code=$? ;;
    esac
    return "$code"
}

run_pytest() {
    local budget_s=$1 marks=$2
    shift 2
    # files begin in the order of tests/parts.py, the longest first
    within "$budget_s" "$python" -m pytest -q -n 2 --durations=5 --durations-min=2 --no-loadscope-reorder -m "$marks" "$@"
}

# An interrupt lets pytest name the test it was in and put away the processes that it started.
within() {
    local budget_s=$1
    shift
    timeout --foreground --signal=INT --kill-after=15 $((budget_s * slack)) "$@"
}

begin_s=$SECONDS
for item in "$@"; do
    part=${item%%=*} budget_s=${item##*=}
    echo "== $part: at most $budget_s s"
    started_s=$SECONDS code=0
    run_part "$part" "$budget_s" || code=$?
    verdict=passed
    [ "$code" -eq 0 ] || { verdict="FAILED (exit $code)"; failed=1; }
    [ "$code" -ne 124 ] && [ "$code" -ne 137 ] || verdict="FAILED (stopped at $slack times its budget)"
    took_s=$((SECONDS - started_s))
    [ "$took_s" -le "$budget_s" ] || verdict="$verdict, OVER ITS BUDGET"
    report+=("$(printf '%-8s %4d s of %4d s  %s' "$part" "$took_s" "$budget_s" "$verdict")")
done

spent_s=$((SECONDS - begin_s))
total=""
[ "$spent_s" -le "$total_s" ] || total="OVER ITS BUDGET"
echo "== summary"
printf '%s\n' "${report[@]}" "$(printf '%-8s %4d s of %4d s  %s' total "$spent_s" "$total_s" "$total")"
exit "$failed"
