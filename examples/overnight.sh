#!/bin/sh
# Develop a folder unattended: go on where the last attempt stopped, set refused files aside with the reason.
#
#     examples/overnight.sh CARD OUT [any option of rawfix develop]
#
# Writes OUT/events.ndjson (described by rawfix/batch/events.schema.json) and OUT/refused.tsv; exits as rawfix did.
# RAWFIX and PYTHON name the programs to run.
set -u
if [ $# -lt 2 ]; then
  echo "usage: $0 CARD OUT [options]" >&2
  exit 2
fi
card=$1 out=$2
shift 2
mkdir -p "$out" || exit 5
events=$out/events.ndjson

${RAWFIX:-rawfix} develop "$card" --recursive -o "$out" --update --json "$@" >"$events" 2>"$out/messages.txt"
code=$?

# One line a refused file: its path, a tab, the reason.
${PYTHON:-python3} - "$events" >"$out/refused.tsv" <<'PYTHON' || exit 5
import json, sys

for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    if event["schema_version"] != 1:
        sys.exit(f"events of version {event['schema_version']}: this script knows 1")
    if event["event"] == "file" and event["status"] == "failed":
        print(event["source"], event["error"], sep="\t")
PYTHON

case $code in
  0) echo "all done" ;;
  1) echo "done but for $(wc -l <"$out/refused.tsv") files, see $out/refused.tsv" ;;
  3) echo "no RAW files in $card" ;;
  4) echo "rawfix is damaged: $(tail -n 1 "$out/messages.txt")" ;;
  5) echo "nothing could be developed: $(tail -n 1 "$out/messages.txt")" ;;
  130) echo "interrupted; run the same command again to go on" ;;
  *) tail -n 1 "$out/messages.txt" ;;
esac
exit $code
