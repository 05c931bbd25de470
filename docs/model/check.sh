#!/bin/sh
# Searches every configuration of the model to its end, and shows that each mutant of it
# is found out. Usage: check.sh [NAME...], to check the configurations or mutants so
# named only; JOBS=N for how many at a time (2). Exit 1 if anything is not as it should.
set -u

here=$(cd "$(dirname "$0")" && pwd)
for tool in spin cc; do
	command -v "$tool" >/dev/null || {
		echo "check.sh: $tool is missing; on Debian and Ubuntu: apt-get install spin gcc libc6-dev" >&2
		exit 1
	}
done

# name, then what defines the configuration.
configurations='
one              RECORDS=3 WORKER_KILLS=1
readers          RECORDS=3 READER_KILLS=2
both             RECORDS=2 WORKER_KILLS=1 READER_KILLS=2
goroutines       RECORDS=2 GOROUTINES=2 SIZES_ALTERNATE BATCH=1
lengths          RECORDS=2 GOROUTINES=2 UNITS=3 LARGE=1 BATCH=1 WORKER_KILLS=1
aborts           RECORDS=1 GOROUTINES=2 UNITS=3 SIZES_ALTERNATE ABORTS WORKER_KILLS=1
reuse            RECORDS=1 WORKERS=2 WORKER_KILLS=2 SPARE=1 SIZES_ALTERNATE
reuse-readers    RECORDS=1 WORKERS=2 WORKER_KILLS=1 READER_KILLS=1 SIZES_ALTERNATE
late             RECORDS=1 WORKERS=2 GOROUTINES=2 SIZES_ALTERNATE BATCH=1
losses           RECORDS=2 WORKERS=2 UNITS=3 DROP WORKER_KILLS=1 SIZES_ALTERNATE
no-reader        RECORDS=3 READER_KILLS=1 NO_NEXT_READER
'

# mutant, then the configuration in which it must be found out, and what is added to it.
mutants='
STAMP_WITHOUT_POSITION            one
STAMP_BEFORE_LENGTH               lengths
STAMP_BEFORE_PAYLOAD              one
POSITION_AFTER_BYTES              one
CLAIM_WITHOUT_COMPARING           goroutines
NO_PADDING                        one
ONE_UNIT_TOO_MANY                 one
CLAIM_WITHOUT_SECOND_LOOK         reuse
CLAIM_WITHOUT_MOVING              late
CLOSED_BIT_ALONE                  late
REUSE_UNDRAINED                   reuse
REUSE_BEFORE_LOSSES_ARE_TOLD      losses
CLOSE_WITHOUT_WAITING             goroutines
UNLOCK_BEFORE_CLOSED              one
IDENTITY_OF_A_CLAIM_IN_PROGRESS   reuse
GENERATION_NOT_LOOKED_AT_AGAIN    reuse
REAP_WITHOUT_LOCK                 one
REAP_WITHOUT_SECOND_LOOK          one
END_NOT_READ_AGAIN                one
SCAN_WHILE_OWNED                  goroutines
PREPARED_BEFORE_BATCH             readers
WRITE_BEFORE_PREPARED             readers
APPLIED_BEFORE_WHOLE              readers
PUBLISH_BEFORE_WRITE              readers
CLEAR_BEFORE_PUBLISH              readers
NO_ROLLBACK                       readers
ROLLBACK_OF_APPLIED               readers
NO_ROLL_FORWARD                   readers
STATE_BEFORE_PROGRESS             reuse-readers
STATE_AFTER_CLEAR                 both
ANY_GENERATION                    reuse-readers
'

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# search NAME OPTIMISATION DEFINES...: leaves the searcher's report in $work/NAME/report.
search() {
	name=$1 optimise=$2
	shift 2
	mkdir "$work/$name" && cd "$work/$name" && cp "$here"/*.pml . || return
	spin $(printf ' -D%s' "$@") -a ringlog.pml >report 2>&1 &&
		cc "$optimise" -w -DSAFETY -DNOREDUCE -DVECTORSZ=512 -DMEMLIM=1900 -o pan pan.c >>report 2>&1 &&
		./pan -m20000 -w22 -n >>report 2>&1
	[ ! -e ringlog.pml.trail ] || explain "$@" >why
	rm -f pan pan.* ringlog.pml.trail
}

# explain DEFINES...: the assertion that failed, as it stands in the model, or as spin has it.
explain() {
	spin $(printf ' -D%s' "$@") -t -T -B ringlog.pml 2>/dev/null |
		sed -n 's/^spin: \([a-z]*\.pml\):\([0-9]*\), Error: assertion.*/\1 \2/p' |
		{ read -r file line && sed -n "${line}s/.*\(assert(.*)\).*/\1/p" "$file"; } | grep . ||
		sed -n 's/^pan:1: \(assertion violated \)*\(.*\) (at depth.*/\2/p' report
}

complete() { # REPORT: no error, and nothing left out
	grep -q 'errors: 0' "$1" && ! grep -qE 'not completed|max search depth|MEMLIM|out of memory|aborted' "$1"
}

say() { # VERDICT NAME TEXT
	printf '%-6s %-33s %s\n' "$1" "$2" "$3"
	[ "$1" = ok ] || touch "$work/failed"
}

configuration() {
	name=$1
	shift
	search "$name" -O2 "$@"
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$work/$name/report")
	if complete "$work/$name/report"; then
		say ok "$name" "$states states, all of them: no error"
	else
		say FAILED "$name" "$(grep -m1 -E '^pan:|rror|not completed' "$work/$name/report") after $states states ($*)"
	fi
}

mutant() {
	name=$1 in=$2
	shift 2
	set -- "MUTANT_$name" $(echo "$configurations" | sed -n "s/^$in  *//p") "$@"
	search "$name" -O0 "$@"
	if grep -q '^pan:1: ' "$work/$name/report"; then
		say ok "$name" "found out in $in: $(cat "$work/$name/why")"
	else
		say FAILED "$name" "not found out in $in: $(tail -n 1 "$work/$name/report")"
	fi
}

# Each line of stdin is a call of the function $1; JOBS at a time.
all() {
	running=0
	while read -r line; do
		name=${line%% *}
		[ -n "$name" ] || continue
		case " $wanted " in *" $name "* | "  ") ;; *) continue ;; esac
		"$1" $line &
		running=$((running + 1))
		[ "$running" -lt "${JOBS:-2}" ] || { wait; running=0; }
	done
	wait
}

wanted=$*
all configuration <<END
$configurations
END
all mutant <<END
$mutants
END
[ ! -e "$work/failed" ]
